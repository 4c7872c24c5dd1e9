/** The command line of `npm run soak`. */
import { namesOf, parseValues, UsageError, wholeNumber } from "@smartcart/testkit";
import type { AttackName } from "./attacks.ts";
import { attacks, floods, missingFor } from "./attacks.ts";
import type { Queue } from "./shop.ts";

export interface SoakLine {
  /** The soak is done once with each. */
  readonly queues: readonly Queue[];
  readonly seconds: number;
  readonly rounds: number;
  readonly rate: number;
  readonly attacks: readonly AttackName[];
  /** File for the JSON report. */
  readonly report: string | undefined;
  readonly help: boolean;
}

export const soakUsage = `npm run soak -- [--queue postgres|rabbitmq|both] [--seconds 120] [--rounds 1] [--rate 50] [--attacks a,b] [--report FILE]

  --queue     the queue that the shop uses, or both, one after the other; default: postgres
  --seconds   how long each attack lasts in a round; default 120, and 10 with --attacks floods
  --rounds    how often each attack alternates with calm, so that what else the machine does falls on both; default 1, and 3 with floods
  --rate      honest orders per second; default 50
  --attacks   only these, or "floods" for ${floods.join(", ")}; default: all whose programs are installed
  --report    where to write the report as JSON

attacks:
${Object.entries(attacks)
  .map(([name, { what }]) => `  ${name.padEnd(16)}${what}`)
  .join("\n")}`;

const allQueues: readonly Queue[] = ["postgres", "rabbitmq"];

/** Throws a UsageError. */
export function parseSoakLine(args: readonly string[]): SoakLine {
  const values = parseValues(args, options);
  const { queue = "postgres" } = values;
  const queues = queue === "both" ? allQueues : allQueues.filter((one) => one === queue);
  if (queues.length === 0) {
    throw new UsageError(`--queue must be postgres, rabbitmq or both, not "${queue}"`);
  }
  const isFloods = values.attacks === "floods";
  return {
    queues,
    seconds: wholeNumber("seconds", values.seconds ?? (isFloods ? "10" : "120"), 1),
    rounds: wholeNumber("rounds", values.rounds ?? (isFloods ? "3" : "1"), 1),
    rate: wholeNumber("rate", values.rate ?? "50", 1),
    attacks: isFloods ? possible(floods) : chosen(values.attacks),
    report: values.report,
    help: values.help ?? false,
  };
}

/** Those that were asked for, or all that can be run here. */
function chosen(text: string | undefined): readonly AttackName[] {
  const names = namesOf("attacks", text, Object.keys(attacks) as AttackName[]);
  if (text === undefined) return possible(names);
  for (const name of names) {
    const program = missingFor(name);
    if (program === undefined) continue;
    throw new UsageError(`--attacks ${name} needs ${program}, which is not installed`);
  }
  return names;
}

function possible(names: readonly AttackName[]): readonly AttackName[] {
  return names.filter((name) => missingFor(name) === undefined);
}

const options = {
  queue: { type: "string" },
  seconds: { type: "string" },
  rounds: { type: "string" },
  rate: { type: "string" },
  attacks: { type: "string" },
  report: { type: "string" },
  help: { type: "boolean" },
} as const;
