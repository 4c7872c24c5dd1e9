/** What the command line of the soak may say. */
import { namesOf, parseValues, UsageError, wholeNumber } from "@smartcart/testkit";
import type { AttackName } from "./attacks.ts";
import { attacks, floods } from "./attacks.ts";
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

export const soakUsage = `npm run soak -- [--queue postgres|rabbitmq] [--seconds 120] [--rate 50] [--attacks a,b] [--report FILE]

  --queue     the queue that the shop uses; default: postgres
  --seconds   how long each attack lasts; default 120, and 30 with --attacks floods
  --rate      honest orders per second; default 50
  --attacks   only these, or "floods" for ${floods.join(", ")}; default: all
  --report    where to write the report as JSON

attacks:
${Object.entries(attacks)
  .map(([name, { what }]) => `  ${name.padEnd(16)}${what}`)
  .join("\n")}`;

/** Throws a UsageError. */
export function parseSoakLine(args: readonly string[]): SoakLine {
  const values = parseValues(args, options);
  const { queue = "postgres" } = values;
  if (queue !== "postgres" && queue !== "rabbitmq") {
    throw new UsageError(`--queue must be postgres or rabbitmq, not "${queue}"`);
  }
  const isFloods = values.attacks === "floods";
  const names = Object.keys(attacks) as AttackName[];
  return {
    queue,
    seconds: wholeNumber("seconds", values.seconds ?? (isFloods ? "30" : "120"), 1),
    rate: wholeNumber("rate", values.rate ?? "50", 1),
    attacks: isFloods ? floods : namesOf("attacks", values.attacks, names),
    report: values.report,
    help: values.help ?? false,
  };
}

const options = {
  queue: { type: "string" },
  seconds: { type: "string" },
  rate: { type: "string" },
  attacks: { type: "string" },
  report: { type: "string" },
  help: { type: "boolean" },
} as const;
