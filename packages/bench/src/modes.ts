/** `npm run bench -- MODE`: measurements other than the comparison of contenders. */
import { makeTemporaryDirectory, parseValues, wholeNumber } from "@smartcart/testkit";
import { measureAge } from "./age.ts";
import { measureGrowth } from "./growth.ts";
import { benchHub } from "./hub/main.ts";
import { measureIdle } from "./idle.ts";
import { toContender } from "./options.ts";
import { runUnary } from "./unary/run.ts";

type Mode = (args: readonly string[], print: (text: string) => void) => Promise<void>;

const text = (standard: string) => ({ type: "string", default: standard }) as const;
const runs = { rounds: text("3"), seconds: text("10") };

export const modes = {
  async hub(args) {
    process.exitCode = await benchHub(args);
  },
  async unary(args, print) {
    await runUnary([...args], print);
  },
  async idle(args, print) {
    const { settle, seconds, rabbitmq } = parseValues(args, {
      rabbitmq: { type: "boolean", default: false },
      settle: text("20"),
      seconds: text("60"),
    });
    await using directory = await makeTemporaryDirectory();
    const settleSeconds = wholeNumber("settle", settle, 0);
    const times = { settleSeconds, seconds: wholeNumber("seconds", seconds, 1) };
    print(await measureIdle({ directory: directory.path, ...times, rabbitmq }));
  },
  async age(args, print) {
    const { contender, stored, ...values } = parseValues(args, {
      ...runs,
      contender: text("embedded"),
      stored: text("1000,1000000"),
      connections: text("128"),
    });
    await using directory = await makeTemporaryDirectory();
    const shop = { contender: toContender(contender), stored: stored.split(",").map(Number) };
    print(await measureAge({ directory: directory.path, ...shop, ...runsOf(values), print }));
  },
  async growth(args, print) {
    const values = parseValues(args, { ...runs, connections: text("64") });
    await using directory = await makeTemporaryDirectory();
    print(await measureGrowth({ directory: directory.path, ...runsOf(values), print }));
  },
} as const satisfies Record<string, Mode>;

function runsOf(values: Record<"rounds" | "seconds" | "connections", string>) {
  return {
    rounds: wholeNumber("rounds", values.rounds, 1),
    seconds: wholeNumber("seconds", values.seconds, 1),
    connections: wholeNumber("connections", values.connections, 1),
  };
}
