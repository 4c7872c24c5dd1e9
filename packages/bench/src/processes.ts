/** The processes of a contender. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileCache, waitFor } from "@smartcart/testkit";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface ProcessOptions {
  /** Names it in the report: "order". */
  readonly name: string;
  /** Default: this Node. */
  readonly program?: string;
  /** Arguments to the program; to Node, the script first, relative to the repository. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its output goes there: what nobody reads must not slow it down. */
  readonly logFile: string;
}

export interface RunningProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** Waits until the URL answers 200. Fails at once, with the output, when the process ends first. */
  answers(url: string): Promise<void>;
}

export function startProcess(o: ProcessOptions): RunningProcess {
  const output = openSync(o.logFile, "a");
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(o.program ?? process.execPath, [...o.args], {
    cwd: root,
    env: { PATH, HOME, NODE_COMPILE_CACHE: compileCache, ...o.env },
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const exited = once(child, "exit");
  return {
    name: o.name,
    pid: child.pid ?? 0,
    answers: (url) => untilAnswers(child, url, o),
    async [Symbol.asyncDispose]() {
      if (hasEnded(child)) return;
      child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(hard);
    },
  };
}

async function untilAnswers(child: ChildProcess, url: string, o: ProcessOptions): Promise<void> {
  await waitFor(
    async () => hasEnded(child) || (await fetch(url).catch(() => undefined))?.status === 200,
    { timeoutMs: 60_000, what: `${o.name} to answer at ${url}` },
  );
  if (!hasEnded(child)) return;
  throw new Error(
    `${o.name} ended; it wrote:\n${(await readFile(o.logFile, "utf8")).slice(-2_000)}`,
  );
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
