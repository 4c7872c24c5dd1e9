import type { Logger } from "@smartcart/runtime";
import { retryUntilReady } from "@smartcart/runtime";
import { addressOf, portOf } from "./address.ts";
import { startEmbeddedPostgres } from "./embedded/postgres.ts";
import { postgresFaults } from "./postgres-faults.ts";
import { tryOut } from "./try-out.ts";

/** A PostgreSQL that can be used. Disposing stops it when it is ours. */
export interface DatabaseServer extends AsyncDisposable {
  readonly url: string;
  /** True when it runs for this process alone. */
  readonly embedded: boolean;
}

export interface DatabaseServerOptions {
  /** The value of DATABASE_URL. Unset: an embedded PostgreSQL is started. */
  databaseUrl?: string | undefined;
  /** Folder of the embedded one. */
  stateDirectory: string;
  log: Logger;
  /** Ends the waiting. */
  signal?: AbortSignal | undefined;
}

/**
 * The database of this process: the one at `databaseUrl`, waited for as long as it cannot be reached, or else an embedded
 * one. Throws StartError for what waiting does not mend (see `postgresFaults`), and for a server that SmartCart cannot work on.
 */
export async function openDatabaseServer(o: DatabaseServerOptions): Promise<DatabaseServer> {
  if (!o.databaseUrl) {
    const embedded = await startEmbeddedPostgres(o);
    return {
      url: embedded.url,
      embedded: true,
      [Symbol.asyncDispose]: () => embedded[Symbol.asyncDispose](),
    };
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
