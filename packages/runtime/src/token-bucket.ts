interface TokenBucketOptions {
  /** Tokens of a full bucket: the longest burst. */
  readonly capacity: number;
  /** Tokens that come back each second, up to `capacity`. */
  readonly refillPerSecond: number;
  /** The clock, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

/** A rate limit. A new bucket is full. */
export interface TokenBucket {
  /** Takes a token and returns 0; without one, takes nothing and returns the milliseconds until there is one. */
  take(): number;
  /** Takes a token in any case, for work that is already done. The balance may become negative. */
  charge(): void;
  /** Milliseconds until the balance is not negative; 0: it is not now. */
  debtMs(): number;
}

/** Creates a full bucket. */
export function createTokenBucket(o: TokenBucketOptions): TokenBucket {
  const now = o.now ?? (() => performance.now());
  let tokens = o.capacity;
  let countedAtMs = now();

  function refill(): void {
    const atMs = now();
    tokens = Math.min(o.capacity, tokens + ((atMs - countedAtMs) / 1000) * o.refillPerSecond);
    countedAtMs = atMs;
  }
  const untilMs = (wanted: number) =>
    Math.max(0, Math.ceil(((wanted - tokens) / o.refillPerSecond) * 1000));

  return {
    take() {
      refill();
      if (tokens < 1) return untilMs(1);
      tokens -= 1;
      return 0;
    },
    charge() {
      refill();
      tokens -= 1;
    },
    debtMs() {
      refill();
      return untilMs(0);
    },
  };
}

/** Keys that are remembered at most. Beyond that the one that was used longest ago is forgotten, and its bucket is full again. */
const maxKeys = 10_000;

/** A bucket for each key, such as a client's address. A key that is not remembered has a full one. */
export interface TokenBuckets {
  /** See `TokenBucket.take`. */
  take(key: string): number;
  /** See `TokenBucket.charge`. */
  charge(key: string): void;
  /** See `TokenBucket.debtMs`. */
  debtMs(key: string): number;
}

/** Creates buckets for up to 10,000 keys. */
export function createTokenBuckets(o: TokenBucketOptions): TokenBuckets {
  const buckets = new Map<string, TokenBucket>();
  /** The key at the end of the map. */
  let lastKey: string | undefined;

  function used(key: string): TokenBucket {
    const known = buckets.get(key);
    if (known !== undefined && key === lastKey) return known;
    lastKey = key;
    const bucket = known ?? createTokenBucket(o);
    // Put back at the end: a Map keeps the order of insertion, so the first one is the longest unused.
    buckets.delete(key);
    buckets.set(key, bucket);
    const oldest = buckets.size > maxKeys ? buckets.keys().next().value : undefined;
    if (oldest !== undefined) buckets.delete(oldest);
    return bucket;
  }

  return {
    take: (key) => used(key).take(),
    charge: (key) => used(key).charge(),
    debtMs: (key) => buckets.get(key)?.debtMs() ?? 0,
  };
}
