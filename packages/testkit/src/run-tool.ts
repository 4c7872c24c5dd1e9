/** A tool that starts servers and services of its own, such as the chaos run, and leaves none of them behind. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { concealSecrets, delay } from "@smartcart/runtime";
import { UsageError } from "./command-line.ts";
import { isRunning, processTree } from "./process-tree.ts";
import { keptFilesVariable, makeTemporaryDirectory } from "./temporary-directory.ts";

const endWithParent = new URL("./end-with-parent.ts", import.meta.url).href;
/** Time for engines to stop by themselves once the tool is gone; then they are killed. Their data goes anyway. */
const graceMs = 2_000;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What a tool does. */
export interface Tool {
  /** `import.meta.url` of its main module. */
  readonly module: string;
  /** How it is called; printed with every UsageError. */
  readonly usage: string;
  /** Does the work. @returns the exit code. @throws UsageError */
  readonly run: () => Promise<number>;
}

/**
 * Runs the tool in a process of its own and waits for it; Linux only, since /proc has its descendants. However it ends, its
 * descendants are ended and its temporary files deleted. A signal ends it at once, with 128 and the signal's number as exit code.
 */
export async function runTool(tool: Tool): Promise<void> {
  process.exitCode =
    process.env[keptFilesVariable] === undefined ? await guard(tool) : await work(tool);
}

async function work({ usage, run }: Tool): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const isUsage = error instanceof UsageError;
    const text = isUsage ? `${error.message}\n\n${usage}` : String((error as Error).stack ?? error);
    process.stderr.write(`${concealSecrets(text)}\n`);
    return isUsage ? 2 : 1;
  }
}

async function guard({ module }: Tool): Promise<number> {
  await using directory = await makeTemporaryDirectory();
  const worker = spawn(
    process.execPath,
    [
      ...process.execArgv,
      "--import",
      endWithParent,
      fileURLToPath(module),
      ...process.argv.slice(2),
    ],
    {
      env: { ...process.env, [keptFilesVariable]: tmpdir(), TMPDIR: directory.path },
      stdio: ["inherit", "inherit", "inherit", "ipc"],
    },
  );
  const exited = once(worker, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  let received: NodeJS.Signals | undefined;
  let cleared: Promise<void> | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    received ??= signal;
    cleared ??= clear(worker, directory.path);
  };
  for (const signal of signals) process.on(signal, onSignal);
  const [code, signal] = await exited;
  await (cleared ?? clear(worker, directory.path));
  return code ?? 128 + constants.signals[received ?? signal ?? "SIGKILL"];
}

/** Ends the worker and all that it has started: its services end with it, its engines soon after, and what does not is killed. */
async function clear(worker: ChildProcess, directory: string): Promise<void> {
  const started = new Set((await processTree(worker.pid ?? 0)).map(({ pid }) => pid));
  worker.kill("SIGKILL");
  const endsAt = Date.now() + graceMs;
  for (;;) {
    for (const pid of await mentioning(directory)) started.add(pid);
    const states = await Promise.all(
      [...started].map(async (pid) => ({ pid, isLeft: await isRunning(pid) })),
    );
    const left = states.filter(({ isLeft }) => isLeft);
    if (left.length === 0) return;
    if (Date.now() > endsAt) for (const { pid } of left) kill(pid);
    await delay(100);
  }
}

/** Processes that name the folder on their command line, such as engines that have outlived their parent. */
async function mentioning(directory: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const lines = pids.map(async (pid) => {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    return line.includes(directory) ? [pid] : [];
  });
  return (await Promise.all(lines)).flat();
}

/** Ignores a process that has ended meanwhile. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
