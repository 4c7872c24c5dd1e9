import type { Semaphore } from "@smartcart/runtime";
import { createSemaphore } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { sqlStateOf, withTransaction } from "@smartcart/store";
import { searchTooCostly, tooManySearches } from "./errors.ts";
import { limitCost } from "./read-records.ts";

/**
 * Searches of the table. Orders run on the same processors, so the cost of searches is bounded however many
 * there are: two at once, each for two seconds at most, and after each its place stays empty for twice the time that it took.
 * Together they use a third of two connections.
 */
export interface Readings {
  /**
   * Reads when it is its turn.
   *
   * @throws DomainError TOO_MANY_SEARCHES, SEARCH_TOO_COSTLY
   */
  search<T>(signal: AbortSignal, read: (tx: Queryable) => Promise<T>): Promise<T>;
  /** The same for a stream, without a bound on the wait. Undefined where the signal fires first. */
  catchUp<T>(signal: AbortSignal, read: (tx: Queryable) => Promise<T>): Promise<T | undefined>;
}

const atOnce = 2;
/**
 * Searches that wait, and how long; the call itself may take five seconds. Many may, since one that waits costs nothing, and
 * one that is refused at once comes again at once.
 */
const waiting = 200;
const longestWaitMs = 2000;
const timeoutMs = 2000;
const rest = 2;
/** SQLSTATE query_canceled, which the time-out of a statement gives. */
const cancelled = "57014";

/** Two searches at once, and one catch-up of a stream. Up to 200 searches wait, each for two seconds at most. */
export function createReadings(database: Database): Readings {
  const searches = createSemaphore({
    maxConcurrent: atOnce,
    maxWaiting: waiting,
    maxWaitMs: longestWaitMs,
  });
  const streams = createSemaphore({ maxConcurrent: 1 });

  async function inTurn<T>(
    semaphore: Semaphore,
    signal: AbortSignal,
    read: (tx: Queryable) => Promise<T>,
  ): Promise<{ readonly found: T } | undefined> {
    const leave = await semaphore.acquire({ signal });
    if (leave === undefined) return undefined;
    const startedAtMs = performance.now();
    try {
      const inTime = (tx: Queryable) => bounded(tx, read);
      return { found: await withTransaction(database, "log.read", inTime, { signal }) };
    } catch (error) {
      if (sqlStateOf(error) !== cancelled) throw error;
      throw searchTooCostly(timeoutMs / 1000, error);
    } finally {
      // Also where the caller has hung up: what was asked of the database counts. The answer is written before the next turn
      // of the event loop, and counts as well.
      setImmediate(() => setTimeout(leave, rest * (performance.now() - startedAtMs)).unref());
    }
  }

  return {
    async search(signal, read) {
      const result = await inTurn(searches, signal, read);
      if (result !== undefined) return result.found;
      signal.throwIfAborted();
      throw tooManySearches();
    },
    async catchUp(signal, read) {
      return (await inTurn(streams, signal, read))?.found;
    },
  };
}

/** Each statement has the whole time, and none begins when it has passed. */
async function bounded<T>(tx: Queryable, read: (tx: Queryable) => Promise<T>): Promise<T> {
  await limitCost(tx, timeoutMs);
  const endMs = performance.now() + timeoutMs;
  return read({
    query(statement) {
      if (performance.now() < endMs) return tx.query(statement);
      return Promise.reject(searchTooCostly(timeoutMs / 1000));
    },
  });
}
