/** Longest pause that `setTimeout` takes, in milliseconds: it fires at once for a longer one. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * A pause within the range of `setTimeout`. For a negative one (a deadline that has passed) Node warns; one of more than 24.8 days,
 * `Infinity` too, would fire at once.
 */
export function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), longestTimerMs);
}
