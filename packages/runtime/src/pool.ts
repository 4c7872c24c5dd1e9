import type { Logger } from "./logger.ts";
import { untilAborted } from "./with-timeout.ts";

interface PoolOptions {
  /** Names the pool in the log: "order.resumer". */
  name: string;
  /** Most pieces of work under way at once. */
  maxConcurrent: number;
  log: Logger;
}

/** Work from a store that is worked on with a bound, so that slow work occupies only its own place. */
export interface Pool extends AsyncDisposable {
  /**
   * Takes as much work as there are free places, and again as places fall free, until `take` answers less than it was asked for
   * or the signal fires. Resolves then, also while work is still under way: what takes long goes on, and the next `fill` has its
   * places later. What `work` throws is logged. Calls must not overlap.
   *
   * @param take answers up to `limit` pieces of work, and leases them, so that it does not answer the same ones at once again
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
    // Work that was folded into one statement ends together: let all of it free its places before more is taken.
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
