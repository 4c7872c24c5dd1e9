import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import type { Problem } from "../api/problem.ts";
import type { Answer } from "../api/rest.ts";
import type { AttemptOutcome, OpenAttempt } from "./attempt.ts";

/** How a submission ended: settled, or stopped since only the customer can go on. */
export type Outcome =
  | AttemptOutcome
  /** The customer has to sign in before the outcome can be read. */
  | { readonly kind: "signed-out"; readonly problem: Problem };

/** How to send, and how to wait in between. */
export interface SubmitOptions {
  /** Sends the attempt once. */
  readonly send: (attempt: OpenAttempt) => Promise<Answer<OrderJson>>;
  /** Waits for so many milliseconds. Rejects where the submission is given up. */
  readonly wait: (ms: number) => Promise<void>;
  /** Pause after so many failures where the backend names none, in milliseconds. */
  readonly backoffMs: (failures: number) => number;
  /** An earlier attempt may have arrived: a refusal without a token leaves its outcome unknown. */
  readonly isRepeat: boolean;
  /** Called after each answer that leaves the outcome open, with the answers so far and the last one's problem. */
  readonly onOpen: (failures: number, problem: Problem | undefined) => void;
}

/** The longest pause that the backend may ask for, in milliseconds. */
const longestWaitMs = 60_000;

/**
 * Sends an attempt, and repeats it with the same key for as long as its outcome is open: an answer got lost, the
 * backend is overloaded or away, or an earlier sending of the same key is still under way.
 */
export async function submitOrder(attempt: OpenAttempt, options: SubmitOptions): Promise<Outcome> {
  for (let failures = 0; ; failures += 1) {
    const answer = await options.send(attempt);
    if (answer.kind === "ok") return { kind: "placed", orderId: answer.body.orderId ?? "" };
    const problem = answer.kind === "problem" ? answer.problem : undefined;
    if (problem && !isOpen(problem)) {
      const mayHaveArrived = options.isRepeat || failures > 0;
      const isSignedOut = problem.status === 401 && mayHaveArrived;
      return { kind: isSignedOut ? "signed-out" : "refused", problem };
    }
    options.onOpen(failures + 1, problem);
    const waitMs = problem?.retryAfterMs ?? options.backoffMs(failures);
    await options.wait(Math.min(waitMs, longestWaitMs));
  }
}

/** Whether an error answer leaves open what became of the attempt, or asks for it to be sent again. */
function isOpen({ status, code }: Problem): boolean {
  return status >= 500 || status === 429 || status === 408 || code === "IDEMPOTENCY_KEY_IN_USE";
}
