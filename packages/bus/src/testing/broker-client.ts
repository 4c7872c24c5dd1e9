import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rmdir, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { keeperSocket, sharedDirectory } from "./broker-paths.ts";

/** An empty virtual host for one test. Disposing deletes it, whoever is still connected. */
export interface TestBroker extends AsyncDisposable {
  /** `amqp://user:password@host:port/vhost` */
  readonly amqpUrl: string;
  readonly vhost: string;
  /** HTTP API with user and password. */
  readonly managementUrl: string;
}

const startsWithinMs = 90_000;

/** A virtual host from the keeper of this user's tests, which is started when it does not run. */
export async function borrowVirtualHost(): Promise<TestBroker> {
  const deadlineMs = Date.now() + startsWithinMs;
  for (;;) {
    const borrowed = await tryBorrow();
    if (borrowed !== undefined) return borrowed;
    if (Date.now() > deadlineMs) throw new Error(`no test broker: ${await readLog()}`);
    await startKeeper();
    await sleep(100);
  }
}

/** Undefined when there is no keeper, or it has just decided to end. */
async function tryBorrow(): Promise<TestBroker | undefined> {
  const socket = connect(keeperSocket());
  const closed = new Promise<void>((resolve) => {
    socket.on("error", () => resolve()).on("close", () => resolve());
  });
  socket.write("virtual host\n");
  const answer = await Promise.race([firstLine(socket), closed.then(() => undefined)]);
  if (answer === undefined) {
    socket.destroy();
    return undefined;
  }
  const { error, ...broker } = JSON.parse(answer) as Omit<TestBroker, "error"> & { error?: string };
  if (error !== undefined) throw new Error(`no test broker: ${error}`);
  // A test that forgot to dispose still ends; the keeper then sees the connection close.
  socket.unref();
  return {
    ...broker,
    async [Symbol.asyncDispose]() {
      socket.ref();
      socket.end();
      // The keeper closes its side when the virtual host is gone.
      await closed;
    },
  };
}

async function firstLine(socket: Socket): Promise<string> {
  let text = "";
  return await new Promise((resolve) => {
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    });
  });
}

/** One of the processes that find no keeper starts it; the others see its lock and wait. */
async function startKeeper(): Promise<void> {
  await mkdir(sharedDirectory(), { recursive: true, mode: 0o755 });
  const lock = join(sharedDirectory(), "starting");
  try {
    await mkdir(lock);
  } catch {
    const held = await stat(lock).catch(() => undefined);
    // Of a process that was killed while it held it.
    if (held !== undefined && Date.now() - held.mtimeMs > 15_000) await rmdir(lock).catch(() => {});
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
  const log = openSync(join(sharedDirectory(), "keeper.log"), "a");
  const keeper = spawn(
    process.execPath,
    [fileURLToPath(new URL("./broker-keeper.ts", import.meta.url))],
    {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: "/",
      // Nothing of the test runner's own settings (NODE_OPTIONS, VITEST_…).
      env: {
        PATH: process.env.PATH,
        TMPDIR: process.env.TMPDIR,
        HOME: process.env.HOME,
      },
    },
  );
  closeSync(log);
  keeper.unref();
  const deadlineMs = Date.now() + startsWithinMs;
  while (keeper.exitCode === null && keeper.signalCode === null && Date.now() < deadlineMs) {
    if (await isListening()) return;
    await sleep(50);
  }
}

async function isListening(): Promise<boolean> {
  const probe = connect(keeperSocket());
  const listening = await new Promise<boolean>((resolve) => {
    probe.on("connect", () => resolve(true)).on("error", () => resolve(false));
  });
  probe.destroy();
  return listening;
}

async function readLog(): Promise<string> {
  return await readFile(join(sharedDirectory(), "keeper.log"), "utf8").catch(() => "no log");
}
