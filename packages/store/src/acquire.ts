import type pg from "pg";
import { reasonOf } from "@smartcart/runtime";
import { DatabaseUnavailableError } from "./sql-errors.ts";

interface AcquireOptions {
  /** Most callers that wait for a connection. */
  maxWaiting: number;
  noteFault: (error: unknown) => void;
}

/** Acquires connections of the pool. A caller that is aborted while it waits rejects at once, and no longer counts as waiting. */
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
          // a request cannot be removed from the pool's queue: an aborted caller returns the connection
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
