/** How many may be at work at once, and how many may wait for that, and for how long. */
export interface SemaphoreOptions {
  readonly atOnce: number;
  readonly waiting: number;
  readonly waitMs: number;
}

/** A line before a method that works on so many calls at once. */
export interface Semaphore {
  /**
   * Resolves with the way out when it is the call's turn, in the order of coming; with undefined where the line is full, or the
   * wait was too long or given up. The signal is looked at only where the call has to wait.
   */
  enter(call: { readonly signal: AbortSignal }): Promise<(() => void) | undefined>;
}

/** An empty line. */
export function createSemaphore(o: SemaphoreOptions): Semaphore {
  // A set keeps the order of coming, and whoever gives up leaves it from the middle.
  const line = new Set<() => void>();
  let atWork = 0;

  function leave(): void {
    const [next] = line;
    // Hands the turn on, so that nobody can slip in between.
    if (next === undefined) atWork -= 1;
    else next();
  }

  return {
    async enter(call) {
      if (atWork < o.atOnce) {
        atWork += 1;
        return leave;
      }
      const { signal } = call;
      if (line.size >= o.waiting || signal.aborted) {
        return undefined;
      }
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>();
      const settle = (way: (() => void) | undefined) => {
        line.delete(called);
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        resolve(way);
      };
      const called = () => settle(leave);
      const giveUp = () => settle(undefined);
      const timer = setTimeout(giveUp, o.waitMs);
      signal.addEventListener("abort", giveUp, { once: true });
      line.add(called);
      return promise;
    },
  };
}
