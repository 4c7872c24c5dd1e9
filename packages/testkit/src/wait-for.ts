/** Waiting for a condition instead of for a time. */
import { setTimeout as delay } from "node:timers/promises";

/** How long and how often to probe. */
export interface WaitOptions {
  /** How long to try, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
  /** Pause between two tries, in milliseconds. Default 25. */
  readonly intervalMs?: number;
  /** For the error: what was waited for. */
  readonly what?: string;
}

/** Calls `probe` until it neither throws nor returns undefined or false, and returns its result. */
export async function waitFor<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 15_000, intervalMs = 25, what = "a condition" } = options;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      cause = error;
    }
    await delay(intervalMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause });
}
