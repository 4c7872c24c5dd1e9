/** Tells of calls that take long, by one timer for all of them: a timer a call would cost more than the calls that it is for. */

/** Waits for a call, and calls `onSlow` once if it takes longer than the bound. */
export type WatchCall = <T>(call: Promise<T>, onSlow: () => void) => Promise<T>;

interface WatchedCall {
  readonly startedAt: number;
  readonly onSlow: () => void;
}

/** Reports calls that take longer than `slowAfterMs`, at most half of that time late. */
export function createSlowCallWatch(slowAfterMs: number): WatchCall {
  // A set keeps the order of insertion: the oldest call is the first.
  const watched = new Set<WatchedCall>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const slowSince = performance.now() - slowAfterMs;
    for (const one of watched) {
      if (one.startedAt > slowSince) break;
      watched.delete(one);
      one.onSlow();
    }
    if (watched.size === 0) timer = void clearInterval(timer);
  }

  return async (call, onSlow) => {
    const one = { startedAt: performance.now(), onSlow };
    watched.add(one);
    timer ??= setInterval(look, slowAfterMs / 2);
    try {
      return await call;
    } finally {
      watched.delete(one);
    }
  };
}
