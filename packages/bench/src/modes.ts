/** `npm run bench -- MODE`: what is measured beside the contenders. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureAge } from "./age.ts";
import { measureGrowth } from "./growth.ts";
import { benchHub } from "./hub/main.ts";
import { measureIdle } from "./idle.ts";
import { toContender } from "./options.ts";
import { runUnary } from "./unary/run.ts";

type Mode = (args: readonly string[], print: (text: string) => void) => Promise<void>;

export const modes = {
  async hub(args) {
    process.exitCode = await benchHub(args);
  },
  async unary(args, print) {
    await runUnary([...args], print);
  },
  async idle(args, print) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rabbitmq: { type: "boolean", default: false },
        settle: { type: "string", default: "20" },
        seconds: { type: "string", default: "60" },
      },
    });
    const report = await inTemporaryDirectory((directory) =>
      measureIdle({
        directory,
        settleSeconds: Number(values.settle),
        seconds: Number(values.seconds),
        rabbitmq: values.rabbitmq,
      }),
    );
    print(report);
  },
  async age(args, print) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        contender: { type: "string", default: "embedded" },
        stored: { type: "string", default: "1000,1000000" },
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "10" },
        connections: { type: "string", default: "128" },
      },
    });
    const report = await inTemporaryDirectory((directory) =>
      measureAge({
        directory,
        contender: toContender(values.contender),
        stored: values.stored.split(",").map(Number),
        rounds: Number(values.rounds),
        seconds: Number(values.seconds),
        connections: Number(values.connections),
      }),
    );
    print(report);
  },
  async growth(args, print) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "10" },
        connections: { type: "string", default: "64" },
      },
    });
    const report = await inTemporaryDirectory((directory) =>
      measureGrowth({
        directory,
        rounds: Number(values.rounds),
        seconds: Number(values.seconds),
        connections: Number(values.connections),
      }),
    );
    print(report);
  },
} as const satisfies Record<string, Mode>;

async function inTemporaryDirectory(measure: (directory: string) => Promise<string>) {
  const directory = await mkdtemp(join(tmpdir(), "smartcart-bench-"));
  // PostgreSQL runs as another user where this runs as root; that user has to pass through.
  await chmod(directory, 0o711);
  try {
    return await measure(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
