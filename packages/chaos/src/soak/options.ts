/** What the command line of the soak may say. */
import { parseArgs } from "node:util";
import type { AttackName } from "./attacks.ts";
import { attacks } from "./attacks.ts";
import type { Queue } from "./shop.ts";

export interface SoakLine {
  readonly queue: Queue;
  readonly seconds: number;
  readonly rate: number;
  readonly attacks: readonly AttackName[];
  /** File for the JSON report. */
  readonly report: string | undefined;
  readonly help: boolean;
}

/** A mistake on the command line; the message is for the person who made it. */
export class SoakUsageError extends Error {}

export const soakUsage = `npm run soak -- [--queue postgres|rabbitmq] [--seconds 120] [--rate 50] [--attacks a,b] [--report FILE]

  --queue     the queue that the shop uses; default: postgres
  --seconds   how long each attack lasts; default 120
  --rate      honest orders a second; default 50
  --attacks   only these; default: all
  --report    where to write the report as JSON

attacks:
${Object.entries(attacks)
  .map(([name, { what }]) => `  ${name.padEnd(16)}${what}`)
  .join("\n")}`;

/** Throws a SoakUsageError. */
export function parseSoakLine(args: readonly string[]): SoakLine {
  const values = parse(args);
  const { queue = "postgres" } = values;
  if (queue !== "postgres" && queue !== "rabbitmq") {
    throw new SoakUsageError(`--queue must be postgres or rabbitmq, not "${queue}"`);
  }
  return {
    queue,
    seconds: positive("seconds", values.seconds ?? "120"),
    rate: positive("rate", values.rate ?? "50"),
    attacks: attacksOf(values.attacks),
    report: values.report,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        queue: { type: "string" },
        seconds: { type: "string" },
        rate: { type: "string" },
        attacks: { type: "string" },
        report: { type: "string" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    throw new SoakUsageError((cause as Error).message, { cause });
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new SoakUsageError(`--${name} must be a whole number above 0, not "${text}"`);
}

function attacksOf(text: string | undefined): readonly AttackName[] {
  const all = Object.keys(attacks) as AttackName[];
  if (text === undefined) return all;
  const names = text.split(",");
  const unknown = names.find((name) => !(all as string[]).includes(name));
  if (unknown === undefined) return names as AttackName[];
  throw new SoakUsageError(`--attacks: there is no "${unknown}"; there are: ${all.join(", ")}`);
}
