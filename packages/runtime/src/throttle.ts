/**
 * Lets an event through at most once per `intervalMs` milliseconds, the first one at once. The function returns how many events
 * there were since the last one that it let through, this one included; 0: leave this one out.
 *
 * For log lines of faults that come by the thousand.
 */
export function createThrottle(intervalMs: number): () => number {
  let events = 0;
  let passedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    events += 1;
    const nowMs = performance.now();
    if (nowMs - passedAtMs < intervalMs) return 0;
    const passed = events;
    passedAtMs = nowMs;
    events = 0;
    return passed;
  };
}
