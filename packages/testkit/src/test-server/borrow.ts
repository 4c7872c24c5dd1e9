import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isListening } from "@smartcart/engines";
import type { ServerKind } from "./paths.ts";
import { makeSharedDirectory, sharedDirectory, socketPath } from "./paths.ts";

const startsWithinMs = 90_000;

/** What the test server of that kind lends. Disposing gives it back; so does the end of this process. */
type Borrowed<T> = T & AsyncDisposable;

/** Borrows from the test server of this user, which is started when it does not run. */
export async function borrow<T extends object>(kind: ServerKind): Promise<Borrowed<T>> {
  const deadlineMs = performance.now() + startsWithinMs;
  for (;;) {
    const borrowed = await tryToBorrow<T>(kind);
    if (borrowed) return borrowed;
    if (performance.now() > deadlineMs) {
      const written = await readFile(logFile(kind), "utf8").catch(() => "it could not be started");
      throw new Error(`the test server for ${kind} does not run: ${written}`);
    }
    await startTestServer(kind);
    await delay(20);
  }
}

/** Undefined when no test server runs, or it has just decided to end. */
async function tryToBorrow<T extends object>(kind: ServerKind): Promise<Borrowed<T> | undefined> {
  const socket = connect(socketPath(kind));
  const closed = new Promise<void>((resolve) => {
    socket.on("error", () => resolve()).on("close", () => resolve());
  });
  socket.write("borrow\n");
  const answer = await Promise.race([firstLine(socket), closed]);
  if (answer === undefined) {
    socket.destroy();
    return undefined;
  }
  const { lent, error } = JSON.parse(answer) as { lent?: T; error?: string };
  if (lent === undefined) throw new Error(`the test server for ${kind} failed: ${error}`);
  // A test that forgot to dispose still ends; the test server then sees the connection close.
  socket.unref();
  return {
    ...lent,
    async [Symbol.asyncDispose]() {
      socket.ref();
      socket.end();
      // The test server closes its side when it has taken back what it lent.
      await closed;
    },
  };
}

function firstLine(socket: Socket): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    });
  });
}

/** Resolves when a test server listens: the one started here, or one that was quicker to own the directory. */
async function startTestServer(kind: ServerKind): Promise<void> {
  await makeSharedDirectory(kind);
  const log = openSync(logFile(kind), "a");
  const script = fileURLToPath(new URL("./main.ts", import.meta.url));
  const server = spawn(process.execPath, [script, kind], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    // Nothing of the test runner's own settings (NODE_OPTIONS, VITEST_…).
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, HOME: process.env.HOME },
  });
  closeSync(log);
  server.unref();
  const deadlineMs = performance.now() + startsWithinMs;
  while (server.exitCode === null && server.signalCode === null && performance.now() < deadlineMs) {
    if (await isListening(socketPath(kind))) return;
    await delay(20);
  }
}

function logFile(kind: ServerKind): string {
  return join(sharedDirectory(kind), "test-server.log");
}
