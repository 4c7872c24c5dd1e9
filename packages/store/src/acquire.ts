import type pg from "pg";
import { reasonOf } from "@smartcart/runtime";
import { DatabaseUnavailableError } from "./sql-errors.ts";

interface AcquireOptions {
  /** Most callers that wait for a connection. */
  maxWaiting: number;
  noteFault: (error: unknown) => void;
}

/** Gives out the pool's connections. Who is aborted while waiting leaves at once, and does not count as waiting. */
export function createAcquire(
  pool: pg.Pool,
  { maxWaiting, noteFault }: AcquireOptions,
): (signal?: AbortSignal) => Promise<pg.PoolClient> {
  let gone = 0;

  const connect = async () => {
    try {
      return await pool.connect();
    } catch (cause) {
      const error = new DatabaseUnavailableError(`no connection: ${reasonOf(cause)}`, { cause });
      if (!pool.ending) noteFault(error);
      throw error;
    }
  };

  const connectUnlessAborted = (signal: AbortSignal) =>
    new Promise<pg.PoolClient>((resolve, reject) => {
      const leave = () => {
        gone++;
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      const settle = () => {
        signal.removeEventListener("abort", leave);
        if (signal.aborted) gone--;
      };
      connect().then(
        (client) => {
          settle();
          // the pool has no way out of its queue: who is gone passes the connection on
          if (signal.aborted) client.release();
          else resolve(client);
        },
        (error) => {
          settle();
          reject(error);
        },
      );
    });

  return async (signal) => {
    signal?.throwIfAborted();
    if (pool.waitingCount - gone >= maxWaiting) {
      const error = new DatabaseUnavailableError(
        `${maxWaiting} callers wait for a connection to the database already`,
      );
      noteFault(error);
      throw error;
    }
    return signal ? connectUnlessAborted(signal) : connect();
  };
}
