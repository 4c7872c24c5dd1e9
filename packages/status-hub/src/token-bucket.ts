/** How many frames a client may send: a burst, and so many a second on average. Each call takes one; false: none left. */
export function createTokenBucket(
  burst: number,
  perSecond: number,
  nowMs: () => number = () => performance.now(),
): () => boolean {
  let left = burst;
  let countedAtMs = nowMs();
  return () => {
    const now = nowMs();
    left = Math.min(burst, left + ((now - countedAtMs) / 1000) * perSecond);
    countedAtMs = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
