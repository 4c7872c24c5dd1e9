import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@smartcart/runtime";
import { StartError } from "@smartcart/runtime";
import { DatabaseClient } from "../database-client.ts";
import { sqlState, sqlStateOf } from "../sql-errors.ts";
import {
  databaseUrl,
  databaseUser,
  initialiseCluster,
  passwordFile,
  readPassword,
} from "./cluster.ts";
import type { GuardedServer } from "./guard.ts";
import { ServerFailedError, startGuarded } from "./guard.ts";
import { removeOwner, waitUntilVacant, writeOwner } from "./owner.ts";
import type { Place } from "./place.ts";
import { preparePlace } from "./place.ts";
import { serverArguments } from "./settings.ts";

/** A PostgreSQL server that runs for this process. Disposing stops it by a fast shutdown. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** With user, password and the database `smartcart`. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Path of what the server itself writes. */
  readonly logFile: string;
}

export interface EmbeddedPostgresOptions {
  /** Everything is kept in its folder `postgres`. Made when it does not exist. */
  stateDirectory: string;
  log: Logger;
  /** Default true. False: no fsync, for tests only. */
  durable?: boolean;
  /** Default 100: all parts in one process want up to 72 at once. */
  maxConnections?: number;
}

const maxPortAttempts = 5;

/**
 * Starts a real PostgreSQL on a free port of 127.0.0.1, with its data in `stateDirectory`, and with normal durability.
 *
 * At most one process can use a data folder; a second start is a StartError that names the first. However this process
 * ends, the server ends with it. After that it can be started anew at once, and committed data is still there.
 *
 * Throws StartError, naming SMARTCART_STATE, when the folder cannot be used.
 */
export async function startEmbeddedPostgres(o: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const place = await preparePlace(o);
  const password = await readPassword(place.root, place.account);
  await initialiseCluster(place);
  const { server, port } = await startServer(place, o);
  await writeOwner(place.root, server.postmasterPid);
  const url = databaseUrl(password, port);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= server.stop().then(() => removeOwner(place.root));
    return stopped;
  };
  void server.ended.then(() => {
    if (!stopped) o.log.error("database.ended", { message: "the embedded PostgreSQL has ended" });
  });
  try {
    await ensureDatabase(place, password, port);
  } catch (error) {
    await stop();
    throw error;
  }
  o.log.debug("database.started", { port, postmasterPid: server.postmasterPid });
  const logFile = join(place.root, "server.log");
  return { url, pid: server.postmasterPid, logFile, [Symbol.asyncDispose]: stop };
}

async function startServer(
  place: Place,
  o: EmbeddedPostgresOptions,
): Promise<{ server: GuardedServer; port: number }> {
  for (let attempt = 1; ; attempt++) {
    await waitUntilVacant(place, o.log);
    const port = await findFreePort();
    const { root, dataDirectory, account, durable } = place;
    try {
      const server = await startGuarded({
        program: join(place.binaries.directory, "bin", "postgres"),
        args: serverArguments(dataDirectory, {
          port,
          maxConnections: o.maxConnections ?? 100,
          durable,
        }),
        root,
        dataDirectory,
        port,
        account,
      });
      return { server, port };
    } catch (error) {
      if (!(error instanceof ServerFailedError)) throw error;
      if (attempt >= maxPortAttempts || !mayPass(error.message)) throw explain(place, error);
      await sleep(100);
    }
  }
}

/** Somebody else was quicker to take the port or the folder, or the processes of a killed server are still ending. */
function mayPass(serverLog: string): boolean {
  return /Address already in use|lock file .* (already exists|is empty)|shared memory block/.test(
    serverLog,
  );
}

function explain(place: Place, error: ServerFailedError): StartError {
  const lines = error.message.split("\n");
  const line = lines.findLast((text) => /FATAL|PANIC/.test(text)) ?? lines.findLast(Boolean) ?? "";
  const reason = line.replace(/^.*(FATAL|PANIC):\s*/, "") || "it wrote nothing";
  return new StartError(
    `SMARTCART_STATE=${place.stateDirectory}: the embedded PostgreSQL did not start: ${reason} ` +
      `(see ${join(place.root, "server.log")})`,
    { variable: "SMARTCART_STATE", cause: error },
  );
}

async function ensureDatabase(place: Place, password: string, port: number): Promise<void> {
  try {
    await execute(databaseUrl(password, port), "select 1");
  } catch (error) {
    if (sqlStateOf(error) === sqlState.invalidPassword) {
      throw new StartError(
        `SMARTCART_STATE=${place.stateDirectory}: the password in ${passwordFile(place.root)} is not the one of the ` +
          "database: restore that file, or set SMARTCART_STATE to a new folder",
        { variable: "SMARTCART_STATE", cause: error },
      );
    }
    if (sqlStateOf(error) !== sqlState.unknownDatabase) throw error;
    await execute(databaseUrl(password, port, "postgres"), `create database ${databaseUser}`);
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new DatabaseClient({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
