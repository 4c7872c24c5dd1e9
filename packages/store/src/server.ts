import pg from "pg";
import type { Logger } from "@smartcart/runtime";
import { retryUntilReady, StartError } from "@smartcart/runtime";
import { startEmbeddedPostgres } from "./embedded/postgres.ts";
import { sqlState, sqlStateOf } from "./sql-errors.ts";

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

const oldestVersion = 150_000;

/**
 * The database of this process: the one at `databaseUrl`, waited for as long as it cannot be reached, or else an embedded
 * one. Throws StartError for what waiting does not mend: a wrong password, an unknown database, a version before 15.
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
    attempt: () => tryOut(url),
  });
  return { url, embedded: false, async [Symbol.asyncDispose]() {} };
}

async function tryOut(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // a connection lost between two statements is told to a listener, or else ends the process
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(
      "select current_setting('server_version_num') as version",
    );
    const version = Number(rows[0]?.version);
    if (version >= oldestVersion) return;
    throw startError(
      url,
      `is PostgreSQL ${Math.floor(version / 10_000)}, but 15 or later is needed`,
    );
  } catch (error) {
    throw hopeless(url, error) ?? error;
  } finally {
    await client.end().catch(() => {});
  }
}

function hopeless(url: string, error: unknown): StartError | undefined {
  const state = sqlStateOf(error);
  const { message } = error as Error;
  if (state === sqlState.unknownDatabase)
    return startError(url, `answers: ${message}; create it`, error);
  if (state === sqlState.invalidPassword || state === sqlState.invalidAuthorization) {
    return startError(url, `refuses the login: ${message}`, error);
  }
  if (/does not support SSL connections|SASL|client password must be/.test(message)) {
    return startError(url, `refuses the connection: ${message}`, error);
  }
  return undefined;
}

function startError(url: string, problem: string, cause?: unknown): StartError {
  return new StartError(`DATABASE_URL: the server at ${addressOf(url)} ${problem}`, {
    variable: "DATABASE_URL",
    cause,
  });
}

/** Without the password. */
function addressOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed
    ? `${parsed.hostname}:${parsed.port || 5432}${parsed.pathname}`
    : "an unreadable URL";
}
