/** A service of SmartCart, or all of it, as a process of its own that a test can kill. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { terminate, untilAnswers } from "./child-process.ts";

const endWithParent = new URL("./end-with-parent.ts", import.meta.url).href;
const root = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the processes of tests keep compiled code, by its content; it goes with `node_modules`. */
export const compileCache = join(root, "node_modules/.cache/smartcart-tests");

/** What to run, with which environment. */
export interface SpawnOptions {
  /** Arguments to Node, the script first, relative to the repository: ["packages/order/src/main.ts"]. */
  readonly args: readonly string[];
  /** Added to a bare environment: nothing of this process's settings leaks in but PATH and HOME. */
  readonly env: Readonly<Record<string, string>>;
}

/** A running process. Disposing kills it. */
export interface SpawnedService extends AsyncDisposable {
  readonly pid: number;
  /** Everything that it wrote so far, standard output and error together. */
  output(): string;
  /** What it wrote to standard error alone. */
  errorOutput(): string;
  /** Resolves with the exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
  /** Waits until the URL answers 200. Fails at once, with the output, when the process ends first. */
  answers(url: string, timeoutMs?: number): Promise<void>;
}

/** Starts the process without waiting for it; it ends with the test process at the latest. */
export function spawnService({ args, env }: SpawnOptions): SpawnedService {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, ["--import", endWithParent, ...args], {
    cwd: root,
    // Halves the CPU time of a start; what one process compiled, the next one finds.
    env: { PATH, HOME, NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let output = "";
  let errorOutput = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    errorOutput += text;
  });
  const exited = once(child, "close").then(
    ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
  );
  return {
    pid: child.pid ?? 0,
    output: () => output,
    errorOutput: () => errorOutput,
    exited,
    kill: (signal) => void child.kill(signal),
    answers: (url, timeoutMs = 60_000) =>
      untilAnswers(child, url, { timeoutMs, output: () => output }),
    async [Symbol.asyncDispose]() {
      await terminate(child);
      await exited;
    },
  };
}
