import pg from "pg";
import type { Logger, Registry } from "@smartcart/runtime";
import { timedOut, withTimeout } from "@smartcart/runtime";
import { createAcquire } from "./acquire.ts";
import { toParameter } from "./array-parameter.ts";
import { DatabaseClient } from "./database-client.ts";
import type { DatabaseMetrics } from "./database-metrics.ts";
import { createDatabaseMetrics } from "./database-metrics.ts";
import { createFaultLog } from "./fault-log.ts";
import type { PlanningOptions } from "./session.ts";
import { setUpSession, statementTimeoutMs } from "./session.ts";
import { isConnectionError, sqlStateOf } from "./sql-errors.ts";

/** One SQL statement. */
export interface Statement {
  readonly text: string;
  /** Parameters $1, $2, …; `bigint` and `Date` values are passed as they are, arrays become PostgreSQL arrays. */
  readonly values?: readonly unknown[];
  /** Makes it a prepared statement of that name on each connection. The text must always be the same for one name. */
  readonly name?: string;
  /** If it fires before a connection is free, the statement is never run. Not for a transaction. */
  readonly signal?: AbortSignal;
  /** Longest wait for its answer, in milliseconds. Default: `queryTimeoutMs` of the database. */
  readonly timeoutMs?: number;
}

/**
 * Anything that runs statements: a database, or a transaction on it.
 *
 * Values come back as `pg` reads them: `bigint` and `numeric` columns as strings, `bytea` as Buffer, `timestamptz` as Date.
 */
export interface Queryable {
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a row is known only to the author of the statement
  query<R extends object = any>(statement: Statement): Promise<{ rows: R[]; rowCount: number }>;
}

/** A pool of connections that works in one schema. Disposing waits for the connections in use, for five seconds. */
export interface Database extends Queryable, AsyncDisposable {
  readonly schema: string;
  readonly url: string;
  readonly log: Logger;
  readonly metrics: DatabaseMetrics;
  /**
   * A connection for the caller alone, to be given back with `release()`. Rejects with a DatabaseUnavailableError when there
   * is none, or too many wait for one; with the signal's reason when that fires first.
   */
  connect(signal?: AbortSignal): Promise<pg.PoolClient>;
  /** Logs an error that means that the database is unreachable, at most every ten seconds. */
  noteFault(error: unknown): void;
  /** Resolves when the database answers; rejects after `timeoutMs` (default 2,000). */
  ping(timeoutMs?: number): Promise<void>;
}

/** What a connection pool is built from. */
export interface DatabaseOptions extends PlanningOptions {
  /** postgres://user:password@host:port/database */
  url: string;
  /** Schema that unqualified names mean. It may not exist yet: `migrate` creates it. */
  schema: string;
  log: Logger;
  /** Default 10. */
  maxConnections?: number;
  /** Most callers that wait for one of them; more are rejected at once. Default 4,000: more calls than a service accepts at once. */
  maxWaiting?: number;
  /** Longest wait for an answer before the connection counts as lost, in milliseconds. Default 12,000. */
  queryTimeoutMs?: number;
  /** Shown in pg_stat_activity. Default: the schema. */
  applicationName?: string;
  metrics?: Registry;
}

/** Longer than the server's own limit: it applies to a server that has vanished. */
const defaultQueryTimeoutMs = statementTimeoutMs + 2_000;
const disposeBoundMs = 5_000;

/** Opens no connection by itself: the first statement does. */
export function createDatabase(o: DatabaseOptions): Database {
  assertIdentifier(o.schema);
  const pool = createPool(o);
  const metrics = createDatabaseMetrics(pool, o.schema, o.metrics);
  const noteFault = createFaultLog(o.schema, o.log);
  const acquire = createAcquire(pool, { maxWaiting: o.maxWaiting ?? 4_000, noteFault });
  const query: Queryable["query"] = async (statement) => {
    const client = await acquire(statement.signal);
    let broken: Error | undefined;
    try {
      return await run(client, statement);
    } catch (error) {
      noteFault(error);
      if (isConnectionError(error) || sqlStateOf(error) === undefined) broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  };
  return {
    schema: o.schema,
    url: o.url,
    log: o.log,
    metrics,
    query,
    connect: acquire,
    noteFault,
    ping: (timeoutMs = 2_000) => ping(query, timeoutMs),
    [Symbol.asyncDispose]: () => close(pool, o),
  };
}

function createPool(o: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: o.url,
    Client: DatabaseClient,
    max: o.maxConnections ?? 10,
    application_name: o.applicationName ?? o.schema,
    query_timeout: o.queryTimeoutMs ?? defaultQueryTimeoutMs,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // the pool waits for it before it gives out the connection
    onConnect: (client) => setUpSession(client, o.schema, o),
  });
  // Without listeners the loss of a connection would end the process: of an idle one (the pool replaces it by itself),
  // and of one in use (its statement rejects, which is where it is dealt with).
  pool.on("error", (error) => {
    // A pool that is being closed emits it too, if the server ends first.
    if (!pool.ending) o.log.warn("database.connection_lost", { schema: o.schema, error });
  });
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** The database for one call: a statement that still waits for a connection when the call ends is never run. */
export function forCall(db: Queryable, { signal }: { signal: AbortSignal }): Queryable {
  return { query: (statement) => db.query({ ...statement, signal }) };
}

/** Runs a statement on a connection. */
async function run<R extends object>(
  on: pg.ClientBase,
  statement: Statement,
): Promise<{ rows: R[]; rowCount: number }> {
  const { timeoutMs } = statement;
  const query = {
    ...statement,
    values: statement.values?.map(toParameter),
    ...(timeoutMs !== undefined && { query_timeout: timeoutMs }),
  };
  const { rows, rowCount } = await on.query<R>(query as pg.QueryConfig);
  return { rows, rowCount: rowCount ?? 0 };
}

/** Statements on a connection that is held: they share its locks, its settings and its loss. */
export function queryableOn(client: pg.ClientBase): Queryable {
  return { query: (statement) => run(client, statement) };
}

/** Throws unless the name can stand in SQL without quotes: schemas and tables are never named by users. */
export function assertIdentifier(name: string): void {
  if (!/^[a-z_][a-z0-9_]{0,40}$/.test(name)) {
    throw new TypeError(`"${name}" is not a lower-case SQL name`);
  }
}

async function ping(query: Queryable["query"], timeoutMs: number): Promise<void> {
  // covers the wait for a free connection too, which the query time-out does not
  const late = timedOut("the database did not answer", timeoutMs);
  await withTimeout(query({ text: "select 1" }), timeoutMs, late);
}

async function close(pool: pg.Pool, o: DatabaseOptions): Promise<void> {
  if (pool.ending) return;
  await withTimeout(pool.end(), disposeBoundMs, () => {
    o.log.warn("database.close_timed_out", { schema: o.schema, inUse: pool.totalCount });
  });
}
