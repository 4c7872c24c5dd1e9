import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { chmod, mkdir, readFile, rmdir, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sharedDirectory, socketPath } from "./paths.ts";

/** An empty database for one test. Disposing drops it, whoever is still connected. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

const startsWithinMs = 60_000;

/** A database from the keeper of this user's tests, which is started when it does not run. */
export async function borrowDatabase(): Promise<TestDatabase> {
  const deadlineMs = Date.now() + startsWithinMs;
  for (;;) {
    const borrowed = await tryBorrow();
    if (borrowed) return borrowed;
    if (Date.now() > deadlineMs) throw new Error(`no test database: ${await readKeeperLog()}`);
    await startKeeper();
    await sleep(20);
  }
}

/** Undefined when there is no keeper, or it has just decided to end. */
async function tryBorrow(): Promise<TestDatabase | undefined> {
  const socket = connect(socketPath());
  socket.write("database\n");
  const closed = new Promise<void>((resolve) => {
    socket.on("error", () => resolve()).on("close", () => resolve());
  });
  const answer = await firstLine(socket);
  if (answer === undefined) {
    socket.destroy();
    return undefined;
  }
  const { url, error } = JSON.parse(answer) as { url?: string; error?: string };
  if (url === undefined) throw new Error(`no test database: ${error}`);
  // a test that forgot to dispose still ends; the keeper then sees the connection close
  socket.unref();
  return {
    url,
    async [Symbol.asyncDispose]() {
      socket.ref();
      socket.end();
      // the keeper closes its side when the database is gone
      await closed;
    },
  };
}

function firstLine(socket: Socket): Promise<string | undefined> {
  let text = "";
  return new Promise((resolve) => {
    socket.on("error", () => resolve(undefined)).on("close", () => resolve(undefined));
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    });
  });
}

/** One of the processes that find no keeper starts it; the lock folder is only there to spare the others the work. */
async function startKeeper(): Promise<void> {
  const directory = sharedDirectory();
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  const lock = join(directory, "starting");
  try {
    await mkdir(lock);
  } catch {
    const held = await stat(lock).catch(() => undefined);
    // of a process that was killed while it held it
    if (held && Date.now() - held.mtimeMs > 15_000) await rmdir(lock).catch(() => {});
    return;
  }
  try {
    await runKeeper();
  } finally {
    await rmdir(lock).catch(() => {});
  }
}

/** Returns when the keeper listens, or has ended because another one does. */
async function runKeeper(): Promise<void> {
  const log = openSync(keeperLog(), "w");
  const keeper = spawn(process.execPath, [fileURLToPath(new URL("./keeper.ts", import.meta.url))], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    // nothing of the test runner's own settings (NODE_OPTIONS, VITEST_…)
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, HOME: process.env.HOME },
  });
  closeSync(log);
  keeper.unref();
  const deadlineMs = Date.now() + startsWithinMs;
  while (keeper.exitCode === null && keeper.signalCode === null && Date.now() < deadlineMs) {
    const probe = connect(socketPath());
    const listening = await new Promise<boolean>((resolve) => {
      probe.on("connect", () => resolve(true)).on("error", () => resolve(false));
    });
    probe.destroy();
    if (listening) return;
    await sleep(20);
  }
}

function keeperLog(): string {
  return join(sharedDirectory(), "keeper.log");
}

async function readKeeperLog(): Promise<string> {
  return readFile(keeperLog(), "utf8").catch(() => "its keeper could not be started");
}
