/** `npm run bench -- idle`: CPU and memory of `npm start` without any request. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { delay } from "@smartcart/runtime";
import { isRunning, processTree, waitFor } from "@smartcart/testkit";
import { choosePorts } from "./contender.ts";
import { cpuNanoseconds } from "./meters.ts";
import type { RunningProcess } from "./processes.ts";
import { startProcess } from "./processes.ts";
import { markdownTable } from "./report.ts";

interface IdleOptions {
  readonly directory: string;
  /** How long it is left alone before it is measured, and how long it is measured. */
  readonly settleSeconds: number;
  readonly seconds: number;
  readonly rabbitmq: boolean;
}

interface Cost {
  /** Share of one core. */
  cpu: number;
  proportionalBytes: number;
  processes: number;
}

/** Starts everything by `npm start`, and prints CPU and memory by program. */
export async function measureIdle(o: IdleOptions): Promise<string> {
  await mkdir(o.directory, { recursive: true });
  const ports = await choosePorts();
  const extra = o.rabbitmq ? ["--", "--rabbitmq"] : [];
  const npm = startProcess({
    name: "npm start",
    program: "npm",
    args: ["start", ...extra],
    env: { ...ports, SMARTCART_STATE: join(o.directory, "state") },
    logFile: join(o.directory, "npm.log"),
  });
  await using _ending = { [Symbol.asyncDispose]: () => endTree(npm) };
  await npm.answers(`http://127.0.0.1:${ports.WEB_PORT}/`);
  await delay(o.settleSeconds * 1_000);
  const before = await cpuByPid(npm.pid);
  const startedAt = performance.now();
  await delay(o.seconds * 1_000);
  const elapsedNs = (performance.now() - startedAt) * 1e6;
  const after = await cpuByPid(npm.pid);
  const costs = new Map<string, Cost>();
  for (const { pid, name: comm, proportionalBytes } of await processTree(npm.pid)) {
    // What Node calls its first thread, and Linux therefore the process.
    const name = comm === "MainThread" ? "node" : comm;
    const cost = costs.get(name) ?? { cpu: 0, proportionalBytes: 0, processes: 0 };
    const usedNs = (after.get(pid) ?? 0) - (before.get(pid) ?? 0);
    costs.set(name, {
      cpu: cost.cpu + usedNs / elapsedNs,
      proportionalBytes: cost.proportionalBytes + proportionalBytes,
      processes: cost.processes + 1,
    });
  }
  return table(costs);
}

/** npm may end before what it started, whose files are deleted next. */
async function endTree(npm: RunningProcess): Promise<void> {
  const tree = await processTree(npm.pid);
  await npm[Symbol.asyncDispose]();
  const haveEnded = async () =>
    !(await Promise.all(tree.map(({ pid }) => isRunning(pid)))).includes(true);
  await waitFor(haveEnded, { timeoutMs: 60_000, what: "the end of all that npm started" });
}

async function cpuByPid(root: number): Promise<ReadonlyMap<number, number>> {
  const tree = await processTree(root);
  return new Map(
    await Promise.all(tree.map(async ({ pid }) => [pid, await cpuNanoseconds(pid)] as const)),
  );
}

function table(costs: ReadonlyMap<string, Cost>): string {
  const all = [...costs].toSorted(([, one], [, other]) => other.cpu - one.cpu);
  const sum = (value: (cost: Cost) => number) => all.reduce((total, [, c]) => total + value(c), 0);
  const total: Cost = {
    cpu: sum((c) => c.cpu),
    proportionalBytes: sum((c) => c.proportionalBytes),
    processes: sum((c) => c.processes),
  };
  return markdownTable(
    ["program", "processes", "% of a core", "MB (PSS)"],
    [...all, ["all", total] as const].map(([name, cost]) => [
      name,
      cost.processes,
      (cost.cpu * 100).toFixed(2),
      (cost.proportionalBytes / 2 ** 20).toFixed(0),
    ]),
  );
}
