import { Code, ConnectError } from "@connectrpc/connect";
import type { RetryPolicy } from "@smartcart/gen/mesh/v1/options_pb";
import { delay } from "@smartcart/runtime";
import type { Bounds } from "./call-bounds.ts";
import { attemptTimeoutMs } from "./call-bounds.ts";

const defaultInitialBackoffMs = 50;
const defaultMaxBackoffMs = 1000;

/** A repetition that is about to be made. */
export interface Repetition {
  /** 1 for the first repetition. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: unknown;
}

/**
 * Makes the attempts that the contract asks for: on the codes that it names, with exponential backoff and full jitter between them.
 * A pause ends with the signal and the deadline of the call, whose errors are then thrown.
 */
export async function retrying<T>(
  policy: RetryPolicy,
  bounds: Bounds,
  attempt: () => Promise<T>,
  onRepetition: (repetition: Repetition) => void,
): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts >= policy.maxAttempts || !isRepeatable(policy, error)) throw error;
      const delayMs = backoffMs(policy, attempts);
      onRepetition({ attempt: attempts, delayMs, error });
      await pause(delayMs, bounds);
      attemptTimeoutMs(undefined, bounds);
    }
  }
}

function isRepeatable(policy: RetryPolicy, error: unknown): boolean {
  return (
    error instanceof ConnectError &&
    (error.code === Code.Unavailable ||
      (policy.onDeadlineExceeded && error.code === Code.DeadlineExceeded))
  );
}

/** The pause before the nth repetition in milliseconds: any up to one that doubles, so that callers do not come back together. */
function backoffMs({ initialBackoffMs, maxBackoffMs }: RetryPolicy, n: number): number {
  const longestMs = (initialBackoffMs || defaultInitialBackoffMs) * 2 ** (n - 1);
  return Math.random() * Math.min(longestMs, maxBackoffMs || defaultMaxBackoffMs);
}

async function pause(ms: number, { signal, deadlineAtMs }: Bounds): Promise<void> {
  const leftMs = deadlineAtMs === undefined ? ms : Math.max(0, deadlineAtMs - Date.now());
  // `retrying` then throws the error of the signal or the deadline.
  await delay(Math.min(ms, leftMs), signal).catch(() => {});
}
