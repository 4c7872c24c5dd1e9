import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@smartcart/runtime";
import { isPresent } from "../files.ts";
import { chooseOsUser } from "../os-user.ts";
import { freePorts } from "../ports.ts";
import type { Launch, Recipe, ServerDirectory } from "../supervisor.ts";
import { makeServerDirectory, own, startServer } from "../supervisor.ts";
import { findBinaries, prepareBinaries } from "./binaries.ts";
import { ensureDatabase } from "./initdb.ts";
import { databaseUrl, ensurePassword, readPassword } from "./password.ts";
import { findPostmaster, postmasterFile, readPostmasterFile } from "./postmaster-file.ts";
import { assertNotRoot, assertOurData, assertUsable } from "./preconditions.ts";
import { serverArguments } from "./settings.ts";

/** A PostgreSQL server that runs for this process. Disposing stops it by a fast shutdown. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** With user, password and the database `smartcart`. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
}

/** What the embedded PostgreSQL is started with. */
export interface EmbeddedPostgresOptions {
  /** Everything is kept in its folder `postgres`. Made when it does not exist. */
  stateDirectory: string;
  log: Logger;
  /** Default true. False: no fsync, for tests only. */
  durable?: boolean;
  /** Default 100: all services in one process use up to 72 at once. */
  maxConnections?: number;
}

interface PostgresLaunch extends Launch {
  readonly port: number;
}

/**
 * Starts a real PostgreSQL on a free port of 127.0.0.1, with its data in `stateDirectory`, and with normal durability.
 *
 * At most one process can use a data folder; a second start is a StartError that names the first. However this process
 * ends, the server ends with it. After that it can be started anew at once, and committed data is still there.
 *
 * Throws StartError, naming SMARTCART_STATE, when the folder cannot be used.
 */
export async function startEmbeddedPostgres(o: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const recipe = await createRecipe(o);
  const server = await startServer(recipe, o.log);
  return {
    url: databaseUrl(await readPassword(recipe.directory), server.launch.port),
    pid: server.pid,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/**
 * The URL of the embedded database that a process runs in this state folder just now; undefined where none does. For tools that
 * look into a running SmartCart. Throws where the password file may not be read.
 */
export async function findEmbeddedPostgres(o: {
  stateDirectory: string;
}): Promise<string | undefined> {
  const { directory, dataDirectory } = locate(o.stateDirectory);
  const file = await readPostmasterFile(dataDirectory);
  return file && databaseUrl(await readPassword(directory), file.port);
}

/**
 * Deletes the embedded database and everything in it, for a start with an empty one. Nothing to delete is no error; one that
 * another process uses is a StartError that names that process.
 */
export async function removeEmbeddedPostgres(o: {
  /** The folder that `startEmbeddedPostgres` was given. */
  stateDirectory: string;
  log: Logger;
}): Promise<void> {
  const server = locate(o.stateDirectory);
  if (!(await isPresent(server.directory))) return;
  await using _lock = await own(server, o.log);
  await rm(server.directory, { recursive: true, force: true });
}

function locate(stateDirectory: string): ServerDirectory & { readonly dataDirectory: string } {
  const directory = join(stateDirectory, "postgres");
  const dataDirectory = join(directory, "data");
  return {
    directory,
    dataDirectory,
    subject: `SMARTCART_STATE=${stateDirectory}`,
    event: "database",
    stopSignals: ["SIGINT", "SIGQUIT", "SIGKILL"],
    findServer: () => findPostmaster(dataDirectory),
  };
}

async function createRecipe(o: EmbeddedPostgresOptions): Promise<Recipe<PostgresLaunch>> {
  const server = locate(o.stateDirectory);
  const { directory, dataDirectory, subject } = server;
  const { durable = true, maxConnections = 100 } = o;
  const found = await findBinaries();
  const osUser = await chooseOsUser(dataDirectory, ["postgres", "nobody"]);
  assertNotRoot(osUser);
  await makeServerDirectory({ directory, subject, osUser });
  await assertUsable({ directory, subject, osUser });
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  return {
    ...server,
    name: "the embedded PostgreSQL",
    osUser,
    // recovery after a crash may take a while
    readyTimeoutMs: 120_000,
    async prepare() {
      await assertOurData({ ...server, major: found.major });
      const binaries = (await prepareBinaries(found, directory, osUser !== undefined)).directory;
      await ensurePassword(directory, osUser);
      await ensureDatabase({ ...server, binaries, osUser, env, durable });
      // No server runs, but PostgreSQL would take a file with a reused process id for one.
      await rm(postmasterFile(dataDirectory), { force: true });
      return async () => {
        const [port = 0] = await freePorts(1);
        const settings = serverArguments(dataDirectory, { port, maxConnections, durable });
        return {
          port,
          command: [join(binaries, "bin", "postgres"), ...settings],
          env,
          async isReady() {
            const file = await readPostmasterFile(dataDirectory);
            return file?.port === port && file.status === "ready";
          },
        };
      };
    },
    // Another process has taken the port meanwhile, or the processes of a killed server are still ending.
    mayPass: (log) => /Address already in use|shared memory block/.test(log),
    reasonIn: fatalLine,
  };
}

function fatalLine(log: string): string {
  const lines = log.split("\n");
  const line = lines.findLast((text) => /FATAL|PANIC/.test(text)) ?? lines.findLast(Boolean) ?? "";
  return line.replace(/^.*(FATAL|PANIC):\s*/, "");
}
