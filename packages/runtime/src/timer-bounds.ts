/** Longest pause that `setTimeout` takes, in milliseconds: it fires at once for a longer one. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * A pause that `setTimeout` takes as it is meant. A bound that has passed while it was computed is negative, which Node warns
 * of; one past 24.8 days, `Infinity` too, would fire at once.
 */
export function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), longestTimerMs);
}
