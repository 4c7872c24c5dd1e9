import { Code, ConnectError } from "@connectrpc/connect";
import type { RetryPolicy as Retrier } from "cockatiel";
import { ExponentialBackoff, fullJitterGenerator, handleWhen, retry } from "cockatiel";
import type { RetryPolicy } from "@smartcart/gen/mesh/v1/options_pb";

const defaultInitialBackoffMs = 50;
const defaultMaxBackoffMs = 1000;

/** The retries that the contract asks for: exponential backoff with full jitter, on the codes that it names. */
export function createRetrier(policy: RetryPolicy): Retrier {
  const repeatable = (error: unknown) =>
    error instanceof ConnectError &&
    (error.code === Code.Unavailable ||
      (policy.onDeadlineExceeded && error.code === Code.DeadlineExceeded));
  return retry(handleWhen(repeatable), {
    // cockatiel counts the repetitions, the contract all attempts.
    maxAttempts: policy.maxAttempts - 1,
    backoff: new ExponentialBackoff({
      generator: fullJitterGenerator,
      initialDelay: policy.initialBackoffMs || defaultInitialBackoffMs,
      maxDelay: policy.maxBackoffMs || defaultMaxBackoffMs,
    }),
  });
}
