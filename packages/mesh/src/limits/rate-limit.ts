/** Addresses that are remembered at most; beyond that the oldest one is forgotten. */
const maxAddresses = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * A token bucket for each address that holds one second's worth. The function takes a token, or tells in how many
 * milliseconds there will be one.
 */
export function createRateLimit(
  perSecond: number,
  now: () => number = Date.now,
): (address: string) => number {
  const buckets = new Map<string, Bucket>();
  const capacity = Math.max(1, perSecond);
  return (address) => {
    const atMs = now();
    const known = buckets.get(address) ?? { tokens: capacity, atMs };
    const refilled = known.tokens + ((atMs - known.atMs) / 1000) * perSecond;
    const tokens = Math.min(capacity, refilled);
    // Put back at the end: a Map keeps the order of insertion, so the first one is the longest unused.
    buckets.delete(address);
    buckets.set(address, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs });
    const oldest = buckets.size > maxAddresses ? buckets.keys().next().value : undefined;
    if (oldest !== undefined) {
      buckets.delete(oldest);
    }
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1000);
  };
}
