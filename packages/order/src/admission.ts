import { createSemaphore } from "@smartcart/runtime";
import { tooManyOrders } from "./errors.ts";

/**
 * Decides how many requests to place an order are worked on at once. A machine that is too slow for its customers would work on all of
 * them at the same time, and answer none of them in time: so as many are let in as are answered within a second, and the others
 * are refused at once with a time to retry.
 */
export interface Admission {
  /**
   * Waits for a turn, briefly.
   *
   * @throws DomainError TOO_MANY_ORDERS; the signal's reason where it fires first
   */
  enter(signal?: AbortSignal): Promise<Visit>;
}

/** A request that was let in. */
export interface Visit {
  /** Since it was let in, in milliseconds. */
  elapsedMs(): number;
  /**
   * Waits for `work` without counting the time: a slow payment provider does not lower the concurrency. If it takes longer than 150 ms,
   * the next request gets the turn, for this one needs no processor meanwhile.
   */
  wait<T>(work: Promise<T>): Promise<T>;
  /** To be called once, however the request ended. */
  leave(): void;
}

/** How many are let in at once, and what it is reckoned from. */
export interface Concurrency {
  readonly limit: number;
  /** When it was lowered last; each time is given a second to show its effect. */
  readonly loweredAtMs: number;
}

/** One that ended: what it took of our own time, and how many were under way. */
export interface Ended {
  readonly tookMs: number;
  readonly underWay: number;
  readonly nowMs: number;
}

const start = 64;
/** Fewer make no request quicker: they share statements and messages, so that each would cost more. */
const least = 32;
/** The contract lets no more in than that: `max_concurrency` of PlaceOrder. */
const most = 256;
const targetMs = 1_000;
const maxWaitMs = 500;
/** Wait after which the turn is handed on. */
const handOnAfterMs = 150;
const maxWaiting = 256;

export const initialConcurrency: Concurrency = { limit: start, loweredAtMs: 0 };

/**
 * The concurrency after one more request has ended; pure. It grows by one for each quick request while it is used, which doubles it
 * in the time of one request, and falls by a third when one took too long.
 */
export function nextConcurrency(now: Concurrency, ended: Ended): Concurrency {
  const { tookMs, underWay, nowMs } = ended;
  if (tookMs > targetMs) {
    if (nowMs - now.loweredAtMs < targetMs) return now;
    return { limit: Math.max(least, Math.floor((now.limit * 2) / 3)), loweredAtMs: nowMs };
  }
  const isUsed = underWay * 2 >= now.limit;
  if (tookMs > targetMs / 2 || !isUsed) return now;
  return { ...now, limit: Math.min(most, now.limit + 1) };
}

/** Starts at 64 concurrent requests, stays between 32 and 256, and lets up to 256 more wait for 500 ms. `nowMs` is for tests. */
export function createAdmission(nowMs: () => number = () => performance.now()): Admission {
  let concurrency = initialConcurrency;
  let underWay = 0;
  const semaphore = createSemaphore({
    maxConcurrent: () => concurrency.limit,
    maxWaiting,
    maxWaitMs,
  });

  function visit(giveBack: () => void): Visit {
    const startedAtMs = nowMs();
    let waitedMs = 0;
    let hasTurn = true;
    underWay += 1;
    const handOn = () => {
      if (!hasTurn) return;
      hasTurn = false;
      underWay -= 1;
      giveBack();
    };
    return {
      elapsedMs: () => nowMs() - startedAtMs,
      async wait(work) {
        const sinceMs = nowMs();
        const timer = setTimeout(handOn, handOnAfterMs);
        try {
          return await work;
        } finally {
          clearTimeout(timer);
          waitedMs += nowMs() - sinceMs;
        }
      },
      leave() {
        const endedAtMs = nowMs();
        const tookMs = endedAtMs - startedAtMs - waitedMs;
        concurrency = nextConcurrency(concurrency, { tookMs, underWay, nowMs: endedAtMs });
        handOn();
      },
    };
  }

  return {
    async enter(signal) {
      const giveBack = await semaphore.acquire(signal && { signal });
      if (giveBack !== undefined) return visit(giveBack);
      signal?.throwIfAborted();
      throw tooManyOrders();
    },
  };
}
