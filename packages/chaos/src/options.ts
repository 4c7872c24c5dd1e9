/** The command line of `npm run chaos`. */
import { namesOf, parseValues, UsageError, wholeNumber } from "@smartcart/testkit";
import type { FaultKind } from "./faults/plan.ts";
import { faultKinds } from "./faults/plan.ts";

/** What is run: random faults, the harness's own test, or one of the two scenarios. */
type Scenario = "faults" | "mutants" | "rolling-restart" | "flash-sale";

export interface CommandLine {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly orders: number;
  /** Orders per second. */
  readonly rate: number;
  readonly kinds: readonly FaultKind[];
  /** Of the flash sale. */
  readonly buyers: number;
  readonly units: number;
  /** Of the rolling restart: two processes with every service in each. */
  readonly whole: boolean;
  /** File for the JSON report. */
  readonly report: string | undefined;
  /** Keep logs and data, and say where. */
  readonly keep: boolean;
  readonly help: boolean;
}

const allKinds = Object.keys(faultKinds) as FaultKind[];

/** Scenarios that ignore a number have 1. */
const defaults = {
  faults: { rate: 40, orders: 10_000 },
  mutants: { rate: 1, orders: 1 },
  "rolling-restart": { rate: 200, orders: 2_000 },
  "flash-sale": { rate: 1, orders: 1 },
} as const satisfies Record<Scenario, { rate: number; orders: number }>;

export const usage = `npm run chaos -- [--seed N] [--orders 10000] [--minutes M] [--faults a,b]
npm run chaos -- --rolling-restart [--whole] [--rate 200] [--orders N]
npm run chaos -- --flash-sale [--buyers 5000] [--units 500]
npm run chaos -- --mutants

  --seed             whole number that decides customers and faults; default: a new one, which is printed
  --orders           how many orders are placed; default 10000
  --minutes          over how many minutes; default: ${defaults.faults.rate} orders per second
  --faults           only these kinds, "none" for none; default: all
  --rolling-restart  every process in turn is ended and started again while customers order
  --whole            two processes with every service in each, instead of thirteen
  --rate             orders per second of it; default ${defaults["rolling-restart"].rate}. There, --orders is the least: they come until all is done
  --flash-sale       all customers order the same product at once
  --buyers, --units  how many want one, and how many there are; default 5000 and 500
  --mutants          show that each known mistake in the product is caught
  --report           where to write the report as JSON
  --keep             keep logs, data and the customers' history

faults:
${Object.entries(faultKinds)
  .map(([kind, what]) => `  ${kind.padEnd(20)}${what}`)
  .join("\n")}`;

/** Throws a UsageError. `newSeed` is used where there is none. */
export function parseCommandLine(args: readonly string[], newSeed: number): CommandLine {
  const values = parseValues(args, options);
  const scenario = scenarioOf(values);
  const orders = wholeNumber("orders", values.orders ?? `${defaults[scenario].orders}`, 1);
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  if (minutes !== undefined && !(minutes > 0)) throw new UsageError("--minutes must be above 0");
  const rate = wholeNumber("rate", values.rate ?? `${defaults[scenario].rate}`, 1);
  return {
    scenario,
    seed: values.seed === undefined ? newSeed : wholeNumber("seed", values.seed, 0),
    orders,
    rate: minutes === undefined ? rate : orders / (minutes * 60),
    kinds: values.faults === "none" ? [] : namesOf("faults", values.faults, allKinds),
    buyers: wholeNumber("buyers", values.buyers ?? "5000", 1),
    units: wholeNumber("units", values.units ?? "500", 1),
    whole: values.whole ?? false,
    report: values.report,
    keep: values.keep ?? false,
    help: values.help ?? false,
  };
}

const options = {
  seed: { type: "string" },
  orders: { type: "string" },
  minutes: { type: "string" },
  faults: { type: "string" },
  rate: { type: "string" },
  buyers: { type: "string" },
  units: { type: "string" },
  report: { type: "string" },
  mutants: { type: "boolean" },
  "rolling-restart": { type: "boolean" },
  whole: { type: "boolean" },
  "flash-sale": { type: "boolean" },
  keep: { type: "boolean" },
  help: { type: "boolean" },
} as const;

function scenarioOf(values: ReturnType<typeof parseValues<typeof options>>): Scenario {
  const asked = (["mutants", "rolling-restart", "flash-sale"] as const).filter(
    (name) => values[name],
  );
  if (asked.length > 1) throw new UsageError(`--${asked.join(" and --")} are two runs`);
  return asked[0] ?? "faults";
}
