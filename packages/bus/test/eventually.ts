import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `read` answers what `wanted` accepts, and answers that; fails with the last answer.
 */
export async function eventually<T>(
  read: () => T | Promise<T>,
  wanted: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (wanted(value)) return value;
    if (performance.now() > deadlineMs) {
      throw new Error(`still not as wanted after ${timeoutMs} ms: ${JSON.stringify(value)}`);
    }
    await sleep(20);
  }
}
