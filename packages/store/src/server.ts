import { join } from "node:path";
import type { EmbeddedPostgres } from "@smartcart/engines";
import { startEmbeddedPostgres } from "@smartcart/engines";
import type { Logger } from "@smartcart/runtime";
import { retryUntilReady, StartError } from "@smartcart/runtime";
import { addressOf, portOf } from "./address.ts";
import { DatabaseClient } from "./database-client.ts";
import { postgresFaults } from "./postgres-faults.ts";
import { sqlState, sqlStateOf } from "./sql-errors.ts";
import { tryOut } from "./try-out.ts";

/** A PostgreSQL that can be used. Disposing stops it when it is ours. */
export interface DatabaseServer extends AsyncDisposable {
  readonly url: string;
  /** True when it runs for this process alone. */
  readonly embedded: boolean;
}

interface DatabaseServerOptions {
  /** The value of DATABASE_URL. Unset: an embedded PostgreSQL is started. */
  databaseUrl?: string | undefined;
  /** Folder of the embedded one. */
  stateDirectory: string;
  log: Logger;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/**
 * The database of this process: the one at `databaseUrl`, for which it waits without a bound, or else an embedded one. Throws a
 * StartError where waiting does not help (see `postgresFaults`), and for a server that SmartCart does not support.
 */
export async function openDatabaseServer(o: DatabaseServerOptions): Promise<DatabaseServer> {
  if (!o.databaseUrl) {
    const embedded = await startEmbedded(o);
    return { ...embedded, embedded: true };
  }
  const url = o.databaseUrl;
  await retryUntilReady({
    what: `PostgreSQL at ${addressOf(url)}`,
    variable: "DATABASE_URL",
    log: o.log,
    signal: o.signal,
    faults: postgresFaults,
    attempt: () => tryOut(url),
    port: portOf(url),
  });
  return { url, embedded: false, async [Symbol.asyncDispose]() {} };
}

async function startEmbedded(o: DatabaseServerOptions): Promise<EmbeddedPostgres> {
  await using started = new AsyncDisposableStack();
  const server = started.use(await startEmbeddedPostgres(o));
  const client = new DatabaseClient({ connectionString: server.url });
  try {
    await client.connect();
  } catch (cause) {
    if (sqlStateOf(cause) !== sqlState.invalidPassword) throw cause;
    throw new StartError(
      `SMARTCART_STATE=${o.stateDirectory}: the password in ${join(o.stateDirectory, "postgres")} is not the one of the ` +
        "database: restore that file, or set SMARTCART_STATE to a new folder",
      { variable: "SMARTCART_STATE", cause },
    );
  } finally {
    await client.end();
  }
  started.move();
  return server;
}
