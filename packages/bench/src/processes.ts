/** The processes of a contender. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileCache, terminate, untilAnswers } from "@smartcart/testkit";

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface ProcessOptions {
  /** Names it in the report: "order". */
  readonly name: string;
  /** Default: this Node. */
  readonly program?: string;
  /** Arguments to the program; to Node, the script first, relative to the repository. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its output goes to this file: an unread pipe would block it. */
  readonly logFile: string;
  /** Whether it takes commands: see `hub/commands.ts`. */
  readonly takesCommands?: boolean;
}

/** Disposal ends it with SIGTERM, and with SIGKILL after a minute. */
export interface RunningProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** The process, where it takes commands. */
  readonly channel: ChildProcess | undefined;
  /** Resolves when it has ended, however that happens. */
  readonly ended: Promise<undefined>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Waits until the URL answers 200. Fails at once, with the output, when the process ends first. */
  answers(url: string): Promise<void>;
}

/** Returns at once; use `answers` to wait until the process serves. */
export function startProcess(o: ProcessOptions): RunningProcess {
  const output = openSync(o.logFile, "a");
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(o.program ?? process.execPath, [...o.args], {
    cwd: root,
    env: { PATH, HOME, NODE_COMPILE_CACHE: compileCache, ...o.env },
    stdio: ["ignore", output, output, ...(o.takesCommands ? ["ipc" as const] : [])],
  });
  closeSync(output);
  const ended = once(child, "exit").then(() => undefined);
  return {
    name: o.name,
    pid: child.pid ?? 0,
    channel: o.takesCommands ? child : undefined,
    ended,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    answers: (url) =>
      untilAnswers(child, url, {
        timeoutMs: 60_000,
        output: async () => (await readFile(o.logFile, "utf8")).slice(-2_000),
      }),
    // Longer than the engines take that it may have started: their files are deleted next.
    [Symbol.asyncDispose]: () => terminate(child, 60_000),
  };
}
