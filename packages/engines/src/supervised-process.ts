import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { open, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import { spawnAs } from "./account.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import { isPostmasterOf } from "./processes.ts";

/*
 * PostgreSQL does not run as our child but under a shell that holds the reading end of a pipe, whose only writing end is
 * ours. However we die, the system closes it; the shell's `read` then ends and stops the server by a fast shutdown.
 */
const guardScript = `
exec 3<&0 </dev/null
"$@" 3<&- &
postmaster=$!
( read -r _ <&3; kill -INT "$postmaster" ) 2>/dev/null &
watch=$!
exec 3<&-
wait "$postmaster"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
`;

export interface GuardOptions {
  /** Path of `postgres`. */
  program: string;
  args: readonly string[];
  /** Folder of everything about the embedded database; its log is written there. */
  root: string;
  dataDirectory: string;
  port: number;
  account: Account | undefined;
}

/** A server that is ready. */
export interface GuardedServer {
  readonly postmasterPid: number;
  /** Resolves when the server has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Stops it by a fast shutdown; by force when that takes more than ten seconds. Idempotent. */
  stop(): Promise<void>;
}

/** The server ended before it was ready. The message is what it wrote to its log. */
export class ServerFailedError extends Error {
  readonly code = "SERVER_FAILED";
}

const readyWithinMs = 120_000;
const stopsWithinMs = 10_000;
const keptLogBytes = 5_000_000;

/** Starts the server and waits until it accepts connections. Recovery after a crash may take a while. */
export async function startGuarded(o: GuardOptions): Promise<GuardedServer> {
  const logFile = join(o.root, "server.log");
  const logStart = await shortenLog(logFile);
  const guard = spawnGuard(o, logFile);
  const ended = once(guard, "exit").then(() => {});
  const postmasterPid = await waitUntilReady(o, guard);
  if (postmasterPid === undefined) {
    guard.stdin?.destroy();
    throw new ServerFailedError(await readTail(logFile, logStart));
  }
  return {
    postmasterPid,
    ended,
    stop: () => stop(o, guard, postmasterPid),
  };
}

function spawnGuard(o: GuardOptions, logFile: string): ChildProcess {
  // opened by us: the other user need not be able to write it
  const log = openSync(logFile, "a");
  try {
    return spawn("/bin/sh", ["-c", guardScript, "smartcart-postgres", o.program, ...o.args], {
      cwd: o.root,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
      stdio: ["pipe", log, log],
      // a group of its own: Ctrl-C at the terminal must not stop the database before those who still use it
      detached: true,
      ...spawnAs(o.account),
    });
  } finally {
    closeSync(log);
  }
}

async function waitUntilReady(o: GuardOptions, guard: ChildProcess): Promise<number | undefined> {
  const deadlineMs = Date.now() + readyWithinMs;
  // the shell itself could not be started; then it has no exit code either
  let failed = false;
  guard.on("error", () => {
    failed = true;
  });
  guard.stdin?.on("error", () => {});
  while (!failed && !hasExited(guard) && Date.now() < deadlineMs) {
    const file = await readPostmasterFile(o.dataDirectory);
    // the port is new with every start, so a file left by an earlier server does not deceive
    if (file?.port === o.port && file.status === "ready") return file.pid;
    await sleep(5);
  }
  return undefined;
}

async function stop(o: GuardOptions, guard: ChildProcess, postmasterPid: number): Promise<void> {
  guard.stdin?.destroy();
  // The guard may have been killed; then nobody but us is left to ask the server.
  if (hasExited(guard)) signalServer(postmasterPid, "SIGINT");
  for (const harder of ["SIGQUIT", "SIGKILL"] as const) {
    if (await endsWithin(stopsWithinMs, o, guard, postmasterPid)) return;
    signalServer(postmasterPid, harder);
  }
  await endsWithin(stopsWithinMs, o, guard, postmasterPid);
}

async function endsWithin(
  boundMs: number,
  o: GuardOptions,
  guard: ChildProcess,
  postmasterPid: number,
): Promise<boolean> {
  const deadlineMs = Date.now() + boundMs;
  while (Date.now() < deadlineMs) {
    if (hasExited(guard) && !(await isPostmasterOf(postmasterPid, o.dataDirectory))) return true;
    await sleep(5);
  }
  return false;
}

function signalServer(postmasterPid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(postmasterPid, signal);
  } catch {
    // it has just ended by itself
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Returns where the log of this start begins. */
async function shortenLog(logFile: string): Promise<number> {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  if (size <= keptLogBytes) return size;
  await truncate(logFile, 0);
  return 0;
}

async function readTail(logFile: string, from: number): Promise<string> {
  const file = await open(logFile, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20_000), 0, 20_000, from);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
