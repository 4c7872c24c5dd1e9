/** What the command line may say. */
import { parseArgs } from "node:util";
import type { FaultKind } from "./plan.ts";
import { faultKinds } from "./plan.ts";

export interface CommandLine {
  readonly seed: number;
  readonly orders: number;
  /** Orders a second. */
  readonly rate: number;
  readonly kinds: readonly FaultKind[];
  /** File for the JSON report. */
  readonly report: string | undefined;
  /** Run the mutants instead. */
  readonly mutants: boolean;
  /** Keep logs and data, and say where. */
  readonly keep: boolean;
  readonly help: boolean;
}

/** A mistake on the command line; the message is for the person who made it. */
export class UsageError extends Error {}

const defaultRate = 40;

export const usage = `npm run chaos -- [--seed N] [--orders 10000] [--minutes M] [--faults a,b] [--report file.json] [--keep]
npm run chaos -- --mutants

  --seed     whole number that decides customers and faults; default: a new one, which is printed
  --orders   how many orders are placed; default 10000
  --minutes  over how many minutes; default: ${defaultRate} orders a second
  --faults   only these kinds, "none" for none; default: all
  --report   where to write the report as JSON
  --keep     keep logs, data and the customers' history
  --mutants  show that each known mistake in the product is caught

faults:
${Object.entries(faultKinds)
  .map(([kind, what]) => `  ${kind.padEnd(20)}${what}`)
  .join("\n")}`;

/** Throws a UsageError. `newSeed` is used where there is none. */
export function parseCommandLine(args: readonly string[], newSeed: number): CommandLine {
  const values = parse(args);
  const orders = whole("orders", values.orders ?? "10000", 1);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0)) throw new UsageError("--minutes must be above 0");
  return {
    seed: values.seed === undefined ? newSeed : whole("seed", values.seed, 0),
    orders,
    rate: minutes === undefined ? defaultRate : orders / (minutes * 60),
    kinds: kindsOf(values.faults),
    report: values.report,
    mutants: values.mutants ?? false,
    keep: values.keep ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: "string" },
        orders: { type: "string" },
        minutes: { type: "string" },
        faults: { type: "string" },
        report: { type: "string" },
        mutants: { type: "boolean" },
        keep: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} must be a whole number from ${least} on, not "${text}"`);
}

function kindsOf(text: string | undefined): readonly FaultKind[] {
  const all = Object.keys(faultKinds) as FaultKind[];
  if (text === undefined) return all;
  if (text === "none") return [];
  const names = text.split(",");
  const unknown = names.find((name) => !(all as string[]).includes(name));
  if (unknown === undefined) return names as FaultKind[];
  throw new UsageError(`--faults: there is no fault "${unknown}"; there are: ${all.join(", ")}`);
}
