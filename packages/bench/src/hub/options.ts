import { namesOf, parseValues, wholeNumber } from "@smartcart/testkit";
import type { HubContenderName } from "./contenders.ts";
import { hubContenders } from "./contenders.ts";

/** How the status hub is measured. */
export interface HubBenchOptions {
  /** WebSockets, each following a user of its own. */
  readonly sockets: number;
  /** Orders per second; each has six statuses. */
  readonly rate: number;
  /** How long orders come. */
  readonly seconds: number;
  /** Rounds, alternating between the contenders. */
  readonly rounds: number;
  readonly contenders: readonly HubContenderName[];
  /** File for all measurements. */
  readonly json: string | undefined;
  /** Folder for CPU profiles and logs. */
  readonly profile: string | undefined;
}

const all = Object.keys(hubContenders) as HubContenderName[];

const usage = `npm run bench -- hub [options]

  --sockets N          WebSockets, each following a user of its own      (10000)
  --rate N             orders per second, each with six statuses           (1000)
  --seconds N          how long orders come                              (20)
  --rounds N           rounds, alternating between the contenders        (3)
  --contenders A,B     of ${all.join(", ")}  (all)
  --json FILE          write every measurement
  --profile FOLDER     leave CPU profiles and logs`;

/** The options, or the error message for an invalid command line. */
export function parseHubOptions(args: readonly string[]): HubBenchOptions | string {
  try {
    const values = parseValues(args, {
      sockets: { type: "string", default: "10000" },
      rate: { type: "string", default: "1000" },
      seconds: { type: "string", default: "20" },
      rounds: { type: "string", default: "3" },
      contenders: { type: "string" },
      json: { type: "string" },
      profile: { type: "string" },
    });
    return {
      sockets: wholeNumber("sockets", values.sockets, 1, 100_000),
      rate: wholeNumber("rate", values.rate, 1, 20_000),
      seconds: wholeNumber("seconds", values.seconds, 1, 3_600),
      rounds: wholeNumber("rounds", values.rounds, 1, 100),
      contenders: namesOf("contenders", values.contenders, all),
      json: values.json,
      profile: values.profile,
    };
  } catch (error) {
    return `${(error as Error).message}\n\n${usage}`;
  }
}
