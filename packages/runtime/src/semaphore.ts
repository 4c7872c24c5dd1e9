import { timerMs } from "./timer-bounds.ts";

export interface SemaphoreOptions {
  /** Most holders at once; a function is asked whenever one comes or leaves. */
  readonly maxConcurrent: number | (() => number);
  /** Most callers that wait; one more is refused at once. Default: no bound. */
  readonly maxWaiting?: number;
  /** Longest wait, in milliseconds. Default: no bound. */
  readonly maxWaitMs?: number;
}

/** Bounds how much is under way at once. Callers get their turn in the order in which they came. */
export interface Semaphore {
  /**
   * Resolves with the function that gives the turn back, to be called once. Undefined where too many wait already, the wait
   * took too long, or `call.signal` fired. The signal is asked for only where the caller has to wait.
   */
  acquire(call?: { readonly signal: AbortSignal }): Promise<(() => void) | undefined>;
  /** Runs `task` when it is its turn. Rejects where `acquire` would answer undefined. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Callers that wait. */
  readonly waiting: number;
}

/** Creates a semaphore that nothing holds. */
export function createSemaphore(o: SemaphoreOptions): Semaphore {
  const { maxWaiting = Number.POSITIVE_INFINITY, maxWaitMs = Number.POSITIVE_INFINITY } = o;
  // A set keeps the order of insertion, and a caller that gives up leaves it from the middle.
  const line = new Set<() => void>();
  let held = 0;
  const isFull = () =>
    held >= (typeof o.maxConcurrent === "number" ? o.maxConcurrent : o.maxConcurrent());

  function release(): void {
    held -= 1;
    // Hands the turn on at once, so that no caller can slip in between.
    for (const next of line) {
      if (isFull()) return;
      held += 1;
      next();
    }
  }

  async function acquire(call?: {
    readonly signal: AbortSignal;
  }): Promise<(() => void) | undefined> {
    if (!isFull()) {
      held += 1;
      return release;
    }
    const signal = call?.signal;
    if (line.size >= maxWaiting || signal?.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
    const settle = (outcome: (() => void) | undefined) => {
      line.delete(admit);
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      resolve(outcome);
    };
    const admit = () => settle(release);
    const giveUp = () => settle(undefined);
    const timer =
      maxWaitMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(giveUp, timerMs(maxWaitMs));
    signal?.addEventListener("abort", giveUp, { once: true });
    line.add(admit);
    return promise;
  }

  return {
    acquire,
    async run(task) {
      const giveBack = await acquire();
      if (giveBack === undefined) throw new Error("the semaphore is full");
      try {
        return await task();
      } finally {
        giveBack();
      }
    },
    get waiting() {
      return line.size;
    },
  };
}
