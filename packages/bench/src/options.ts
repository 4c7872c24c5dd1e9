import { parseValues, wholeNumber } from "@smartcart/testkit";
import type { ContenderName } from "./contenders.ts";
import { contenders } from "./contenders.ts";
import type { Scenario } from "./measure.ts";

export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly contenders: readonly ContenderName[];
  readonly scenarios: readonly Scenario[];
  /** File for all measurements. */
  readonly json: string | undefined;
  /** Folder for CPU profiles and logs. */
  readonly profile: string | undefined;
}

/** Tokens on every order are a measurement of their own. */
const usual = Object.keys(contenders).filter((name) => name !== "smartcart-tokens");

/** How it is called. */
export const usage = `npm run bench -- [options]
npm run bench -- idle [--rabbitmq] [--settle S] [--seconds S]
npm run bench -- age [--contender NAME] [--stored A,B] [--rounds N] [--seconds S] [--connections N]
npm run bench -- growth [--rounds N] [--seconds S] [--connections N]

  --rounds N           rounds, alternating between the contenders        (5)
  --seconds N          length of a run                                   (10)
  --warm-up N          seconds of load before it counts                  (3)
  --contenders A,B     of ${Object.keys(contenders).join(", ")}  (all but smartcart-tokens)
  --connections A,B    connections at once                               (1,128)
  --products A,B       products that the orders are spread over          (100,2)
  --lines A,B          lines per order                                    (2)
  --json FILE          write every measurement
  --profile FOLDER     leave CPU profiles, logs and the top statements

npm run bench -- hub --help tells the options of the status hub's own.`;

/** The options, or the error message for an invalid command line. */
export function parseOptions(args: readonly string[]): BenchOptions | string {
  try {
    const values = parseValues(args, {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "10" },
      "warm-up": { type: "string", default: "3" },
      contenders: { type: "string", default: usual.join(",") },
      connections: { type: "string", default: "1,128" },
      products: { type: "string", default: "100,2" },
      lines: { type: "string", default: "2" },
      json: { type: "string" },
      profile: { type: "string" },
    });
    return {
      rounds: wholeNumber("rounds", values.rounds, 1),
      seconds: wholeNumber("seconds", values.seconds, 1),
      warmUpSeconds: wholeNumber("warm-up", values["warm-up"], 1),
      contenders: values.contenders.split(",").map(toContender),
      scenarios: scenarios(values),
      json: values.json,
      profile: values.profile,
    };
  } catch (error) {
    return `${(error as Error).message}\n\n${usage}`;
  }
}

function scenarios(values: Record<"products" | "lines" | "connections", string>): Scenario[] {
  const list = (name: "products" | "lines" | "connections") =>
    values[name].split(",").map((text) => wholeNumber(name, text, 1));
  return list("products").flatMap((products) =>
    list("lines").flatMap((lines) =>
      list("connections").map((connections) => ({ products, lines, connections })),
    ),
  );
}

/** @throws where there is none of that name. */
export function toContender(name: string): ContenderName {
  if (Object.hasOwn(contenders, name)) return name as ContenderName;
  throw new Error(`--contenders: there is no "${name}"`);
}
