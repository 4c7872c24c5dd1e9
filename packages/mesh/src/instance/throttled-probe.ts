import { withTimeout } from "@smartcart/runtime";

/** A measurement that is read more often than it is made. */
export interface ThrottledProbeOptions<T> {
  readonly measure: () => Promise<T>;
  /** The answer until there is one, and after a measurement that failed. */
  readonly otherwise: T;
  /** Shortest time between two measurements, in milliseconds. One that takes long has at least nine times as long a pause. */
  readonly intervalMs: number;
}

/** Longest wait for a measurement that has just begun, in milliseconds; after it the one before is the answer. */
const patienceMs = 300;

/** Answers the latest measurement, and begins another one when it is time. Never rejects. */
export function createThrottledProbe<T>(o: ThrottledProbeOptions<T>): () => Promise<T> {
  let latest = o.otherwise;
  let running: Promise<void> | undefined;
  let dueAt = 0;

  async function measure(): Promise<void> {
    const startedAt = performance.now();
    latest = await o.measure().catch(() => o.otherwise);
    const now = performance.now();
    dueAt = now + Math.max(o.intervalMs, 9 * (now - startedAt));
    running = undefined;
  }

  return async () => {
    if (running === undefined && performance.now() >= dueAt) {
      running = measure();
    }
    if (running !== undefined) {
      await withTimeout(running, patienceMs, () => {});
    }
    return latest;
  };
}
