import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Database, Queryable } from "./database.ts";
import { queryableOn } from "./database.ts";
import { constraintOf, isConnectionError, sqlState, sqlStateOf } from "./sql-errors.ts";

/**
 * A transaction that failed in the database; `cause` is the driver's error. An error that the caller throws inside a transaction is
 * not wrapped.
 */
export class TransactionError extends Error {
  /** The SQLSTATE, or else the driver's code; "DATABASE_ERROR" where it has none. */
  readonly code: string;
  /** The name that the caller gave it. */
  readonly owner: string;
  /** Constraint that was violated. */
  readonly constraint?: string;

  constructor(owner: string, cause: Error) {
    super(`transaction "${owner}" failed: ${cause.message}`, { cause });
    this.name = "TransactionError";
    const { code } = cause as { code?: unknown };
    this.code = typeof code === "string" ? code : "DATABASE_ERROR";
    this.owner = owner;
    const constraint = constraintOf(cause);
    if (constraint !== undefined) this.constraint = constraint;
  }
}

const maxRetries = 3;

/**
 * Runs `fn` in one READ COMMITTED transaction: committed when its promise resolves, rolled back when it rejects.
 *
 * A deadlock or serialization failure runs the whole of `fn` again, up to three times: it must do nothing but SQL, and no
 * network call. After a connection error the outcome is unknown: it may have been committed.
 *
 * @param owner names it in errors and metrics, such as "order.place"
 * @param signal where it fires before a connection is free, nothing is done
 */
export async function withTransaction<T>(
  db: Database,
  owner: string,
  fn: (tx: Queryable) => Promise<T>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T> {
  for (let retries = 0; ; retries++) {
    const startedAtMs = performance.now();
    try {
      const result = await attempt(db, fn, signal);
      db.metrics.transaction(owner, "commit", startedAtMs);
      return result;
    } catch (error) {
      const again = retries < maxRetries && isConflict(error);
      db.metrics.transaction(owner, again ? "retry" : "rollback", startedAtMs);
      db.noteFault(error);
      if (!again) throw isFromDatabase(error) ? new TransactionError(owner, error) : error;
    }
    // random, so that transactions that collided do not collide again
    await sleep(Math.random() * 10 * 2 ** retries);
  }
}

async function attempt<T>(
  db: Database,
  fn: (tx: Queryable) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const client = await db.connect(signal);
  let broken: Error | undefined;
  try {
    await client.query("begin isolation level read committed");
    const result = await fn(queryableOn(client));
    await client.query("commit");
    return result;
  } catch (error) {
    broken = isConnectionError(error) ? (error as Error) : await rollback(client);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Returns why the connection cannot be used any more, if so. */
async function rollback(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query("rollback");
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function isConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === sqlState.serializationFailure || state === sqlState.deadlockDetected;
}

function isFromDatabase(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof TransactionError) return false;
  return (error as { severity?: unknown }).severity !== undefined || isConnectionError(error);
}
