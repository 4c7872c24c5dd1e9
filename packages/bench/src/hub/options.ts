import { parseArgs } from "node:util";
import type { HubContenderName } from "./contenders.ts";
import { hubContenders } from "./contenders.ts";

/** How the status hub is measured. */
export interface HubBenchOptions {
  /** WebSockets, each following a user of its own. */
  readonly sockets: number;
  /** Orders a second; each has six statuses. */
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

const usage = `npm run bench -- hub [options]

  --sockets N          WebSockets, each following a user of its own      (10000)
  --rate N             orders a second, each with six statuses           (1000)
  --seconds N          how long orders come                              (20)
  --rounds N           rounds, alternating between the contenders        (3)
  --contenders A,B     of ${Object.keys(hubContenders).join(", ")}  (all)
  --json FILE          write every measurement
  --profile FOLDER     leave CPU profiles and logs`;

/** The options, or what to tell the person who gave wrong ones. */
export function parseHubOptions(args: readonly string[]): HubBenchOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        sockets: { type: "string", default: "10000" },
        rate: { type: "string", default: "1000" },
        seconds: { type: "string", default: "20" },
        rounds: { type: "string", default: "3" },
        contenders: { type: "string", default: Object.keys(hubContenders).join(",") },
        json: { type: "string" },
        profile: { type: "string" },
      },
    });
    return {
      sockets: whole("sockets", values.sockets, 100_000),
      rate: whole("rate", values.rate, 20_000),
      seconds: whole("seconds", values.seconds, 3_600),
      rounds: whole("rounds", values.rounds, 100),
      contenders: values.contenders.split(",").map(contender),
      json: values.json,
      profile: values.profile,
    };
  } catch (error) {
    return `${(error as Error).message}\n\n${usage}`;
  }
}

function whole(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new Error(`--${name} takes whole numbers from 1 to ${most}, not "${text}"`);
}

function contender(name: string): HubContenderName {
  if (Object.hasOwn(hubContenders, name)) return name as HubContenderName;
  throw new Error(`--contenders: there is no "${name}"`);
}
