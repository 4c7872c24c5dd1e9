const firstMs = 500;
const longestMs = 8_000;

/**
 * Pause before the next attempt, in milliseconds: doubles from 0.5 s up to 8 s, of which a random half is taken off
 * so that the pages of a restarted server do not all come back in the same instant.
 *
 * @param failures Attempts that failed in a row before this pause, from 0.
 * @param random A number from 0 up to 1.
 */
export function backoffMs(failures: number, random: number): number {
  const ceilingMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures, 10));
  return Math.round(ceilingMs * (1 - random / 2));
}

/**
 * Resolves after `ms`, or as soon as the browser is online again. Rejects with the signal's reason when
 * `signal` is aborted.
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      end.abort();
      settle();
    };
    const timer = setTimeout(() => finish(resolve), ms);
    addEventListener("online", () => finish(resolve), { signal: end.signal });
    signal.addEventListener("abort", () => finish(() => reject(signal.reason)), {
      signal: end.signal,
    });
    if (signal.aborted) finish(() => reject(signal.reason));
  });
}
