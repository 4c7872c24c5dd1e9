import { join } from "node:path";
import type { Logger } from "@smartcart/runtime";
import { delay, reasonOf, StartError } from "@smartcart/runtime";
import type { DirectoryLock } from "./data-directory.ts";
import { DirectoryInUseError, lockDirectory } from "./data-directory.ts";
import { makeDirectory } from "./files.ts";
import type { OsUser } from "./os-user.ts";
import { readLog, shortenLog } from "./server-log.ts";
import type { SupervisedProcess } from "./supervised-process.ts";
import { signalGraceMs, startSupervisedProcess } from "./supervised-process.ts";

/** Where a server keeps its data, and how one that runs there is found. */
export interface ServerDirectory {
  /** All that belongs to the server: its data, its log `server.log`, and `owner.json`. */
  readonly directory: string;
  /** The directory, for messages: "SMARTCART_STATE=/var/lib/smartcart". */
  readonly subject: string;
  /** First word of the names of its log events: "database". */
  readonly event: string;
  /** What stops it: the orderly way first, then harder ones. */
  readonly stopSignals: readonly NodeJS.Signals[];
  /** Process id of the server that runs on the data, whichever process started it. */
  findServer(): Promise<number | undefined>;
}

/** How one kind of server is run: the differences between PostgreSQL and RabbitMQ. */
export interface Recipe<L extends Launch = Launch> extends ServerDirectory {
  /** For messages: "the embedded PostgreSQL". */
  readonly name: string;
  readonly osUser: OsUser | undefined;
  readonly readyTimeoutMs: number;
  /**
   * Prepares the data, while this process owns the directory and no server runs in it. Returns a function that chooses the ports of
   * one attempt to start.
   */
  prepare(): Promise<() => Promise<L>>;
  /** Whether its log shows a fault that another attempt avoids, such as a taken port. */
  mayPass(log: string): boolean;
  /** The reason for a failed start, from what it wrote to its log. */
  reasonIn(log: string): string;
}

/** One attempt to start a server. */
export interface Launch {
  readonly command: readonly string[];
  /** Its whole environment: nothing that a shell has set for another server reaches it. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it takes connections. */
  isReady(): Promise<boolean>;
}

/** A server that takes connections. Disposing stops it. */
interface RunningServer<L extends Launch> extends AsyncDisposable {
  readonly launch: L;
  /** Process id of the server itself. */
  readonly pid: number;
}

const maxAttempts = 5;
const unknownServerEndsWithinMs = 30_000;

/**
 * Starts a server that ends with this process, however that ends. One process at a time can use a directory; a second start is a
 * StartError that names the first. When the server ends by itself, that is an error in the log; it is not started again,
 * since its clients would lose their sessions unnoticed.
 */
export async function startServer<L extends Launch>(
  recipe: Recipe<L>,
  log: Logger,
): Promise<RunningServer<L>> {
  await using started = new AsyncDisposableStack();
  const lock = started.use(await own(recipe, log));
  const nextLaunch = await recipe.prepare();
  const { server, launch, pid } = await startWithRetries(recipe, nextLaunch);
  let stopped = false;
  started.defer(async () => {
    stopped = true;
    await server.stop();
    // If its supervising shell was killed, it still runs.
    await endServer(recipe, pid);
    log.debug(`${recipe.event}.stopped`, { directory: recipe.directory });
  });
  void server.ended.then(() => {
    if (!stopped) log.error(`${recipe.event}.ended`, { message: `${recipe.name} has ended` });
  });
  await lock.setServer(pid);
  log.debug(`${recipe.event}.started`, { directory: recipe.directory, pid });
  const running = started.move();
  return { launch, pid, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Makes the directory and its server's user the owner. Throws StartError where that cannot be done. */
export async function makeServerDirectory(
  o: Pick<Recipe, "directory" | "subject" | "osUser">,
): Promise<void> {
  try {
    await makeDirectory(o.directory, o.osUser);
  } catch (cause) {
    throw new StartError(
      `${o.subject} cannot be used: ${reasonOf(cause)}; set SMARTCART_STATE to a folder that can be written`,
      { variable: "SMARTCART_STATE", cause },
    );
  }
}

/** Takes ownership of the directory, and waits until the server of a previous owner has ended. */
export async function own(o: ServerDirectory, log: Logger): Promise<DirectoryLock> {
  await using taken = new AsyncDisposableStack();
  try {
    const lock = taken.use(await lockDirectory(o.directory));
    await waitForOrphan(o, lock.orphanPid, log);
    taken.move();
    return lock;
  } catch (error) {
    if (!(error instanceof DirectoryInUseError)) throw error;
    throw new StartError(
      `${o.subject} is in use by process ${error.pid}: stop that process, or set SMARTCART_STATE to another folder`,
      { variable: "SMARTCART_STATE", cause: error },
    );
  }
}

/**
 * An orphan is stopping already, since its supervising shell notices the death of the owner; one whose shell was killed too is stopped
 * here. A server of unknown origin is left alone.
 */
async function waitForOrphan(
  o: ServerDirectory,
  orphanPid: number | undefined,
  log: Logger,
): Promise<void> {
  const startedAtMs = performance.now();
  let told = false;
  for (;;) {
    const pid = await o.findServer();
    if (pid === undefined) return;
    const waitedMs = performance.now() - startedAtMs;
    if (pid === orphanPid && waitedMs > signalGraceMs) await endServer(o, pid);
    if (waitedMs > unknownServerEndsWithinMs) throw new DirectoryInUseError(o.directory, pid);
    if (!told) log.warn(`${o.event}.waiting_for_previous`, { pid });
    told = true;
    await delay(20);
  }
}

async function startWithRetries<L extends Launch>(recipe: Recipe<L>, nextLaunch: () => Promise<L>) {
  const logFile = join(recipe.directory, "server.log");
  for (let attempt = 1; ; attempt++) {
    const launch = await nextLaunch();
    const logStart = await shortenLog(logFile);
    const { command, env } = launch;
    const { directory: cwd, osUser, stopSignals } = recipe;
    const server = startSupervisedProcess({ command, env, cwd, osUser, stopSignals, logFile });
    const pid = await waitUntilReady(recipe, launch, server);
    if (pid !== undefined) return { server, launch, pid };
    await server.stop();
    const written = await readLog(logFile, logStart);
    if (attempt < maxAttempts && recipe.mayPass(written)) continue;
    throw new StartError(
      `${recipe.subject}: ${recipe.name} did not start: ${recipe.reasonIn(written) || "it wrote nothing"} (see ${logFile})`,
      { variable: "SMARTCART_STATE" },
    );
  }
}

/** Returns the server's process id; undefined when it has ended, or does not become ready in time. */
async function waitUntilReady(
  recipe: Recipe,
  launch: Launch,
  server: SupervisedProcess,
): Promise<number | undefined> {
  const deadlineMs = performance.now() + recipe.readyTimeoutMs;
  for (let pauseMs = 5; !server.hasEnded() && performance.now() < deadlineMs; pauseMs *= 1.05) {
    if (await launch.isReady()) {
      const pid = await recipe.findServer();
      if (pid !== undefined) return pid;
    }
    await delay(Math.min(pauseMs, 100));
  }
  return undefined;
}

/** Sends that server one stop signal after the other until it has ended. */
async function endServer(o: ServerDirectory, pid: number): Promise<void> {
  for (const signal of o.stopSignals) {
    if ((await o.findServer()) !== pid) return;
    sendSignal(pid, signal);
    const deadlineMs = performance.now() + signalGraceMs;
    while ((await o.findServer()) === pid && performance.now() < deadlineMs) await delay(20);
  }
}

/** A process that has just ended gets no signal. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
