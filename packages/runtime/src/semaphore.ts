import { timerMs } from "./timer-bounds.ts";

export interface SemaphoreOptions {
  /** Most holders at once; a function is called at each acquire and release. */
  readonly maxConcurrent: number | (() => number);
  /** Most callers that wait; one more is rejected at once. Default: no bound. */
  readonly maxWaiting?: number;
  /** Longest wait, in milliseconds. Default: no bound. */
  readonly maxWaitMs?: number;
}

/** Bounds how much is under way at once. Callers acquire it in the order of their calls. */
export interface Semaphore {
  /**
   * Resolves with the function that releases it, to be called once. Undefined where too many callers wait already, the wait took too
   * long, or `call.signal` fired. `call.signal` is read only where the caller has to wait.
   */
  acquire(call?: { readonly signal: AbortSignal }): Promise<(() => void) | undefined>;
  /** Runs `task` while holding it. Rejects where `acquire` would return undefined. */
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
    // Passes it on synchronously, so that no later caller overtakes those that wait.
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
