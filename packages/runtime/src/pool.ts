import type { Logger } from "./logger.ts";
import { untilAborted } from "./with-timeout.ts";

interface PoolOptions {
  /** Names the pool in the log: "order.resumer". */
  name: string;
  /** Most pieces of work under way at once. */
  maxConcurrent: number;
  log: Logger;
}

/** Runs work from a store with bounded concurrency, so that slow work occupies only its own slot. */
export interface Pool extends AsyncDisposable {
  /**
   * Takes as much work as there are free slots, and again as slots become free, until `take` returns less than its limit or the signal
   * fires. Resolves then, also while work is under way, which keeps its slots. Errors of `work` are logged. Calls must not overlap.
   *
   * @param take returns up to `limit` pieces of work and leases them, so that the next call does not return them again
   */
  fill<T>(o: {
    take: (limit: number) => Promise<readonly T[]>;
    work: (piece: T) => Promise<unknown>;
    signal: AbortSignal;
  }): Promise<void>;
}

/** Creates an empty pool. Disposing waits for the work under way. */
export function createPool({ name, maxConcurrent, log }: PoolOptions): Pool {
  const underWay = new Set<Promise<void>>();

  const start = (work: () => Promise<unknown>) => {
    const running: Promise<void> = attempt(work, name, log).finally(() => underWay.delete(running));
    underWay.add(running);
  };
  const untilSomethingEnds = async (signal: AbortSignal) => {
    await untilAborted(Promise.race(underWay), signal);
    // Work that was batched into one statement ends together: let all of it free its slots before more is taken.
    await new Promise(setImmediate);
  };

  return {
    async fill({ take, work, signal }) {
      while (!signal.aborted) {
        const free = maxConcurrent - underWay.size;
        if (free === 0) {
          await untilSomethingEnds(signal);
          continue;
        }
        const pieces = await take(free);
        for (const piece of pieces) start(() => work(piece));
        if (pieces.length < free) return;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(underWay);
    },
  };
}

/** Never rejects. */
async function attempt(work: () => Promise<unknown>, pool: string, log: Logger): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error("pool.work_failed", { pool, error });
  }
}
