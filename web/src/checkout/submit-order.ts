import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import type { Problem } from "../api/problem.ts";
import type { Answer } from "../api/rest.ts";
import type { Attempt } from "./attempt.ts";

/** How an attempt ended. */
export type Outcome =
  /** The order exists, confirmed or not decided yet. */
  | { readonly kind: "placed"; readonly order: OrderJson }
  /** A clear no. The key is spent: what is sent next is another attempt. */
  | { readonly kind: "refused"; readonly problem: Problem }
  /** No answer that settles it. Sending the same attempt again is safe. `problem` is the last answer, if there was any. */
  | { readonly kind: "unsettled"; readonly problem: Problem | undefined };

/** How to send, and how to wait in between. */
export interface SubmitOptions {
  /** Sends the attempt once. */
  readonly send: (attempt: Attempt) => Promise<Answer<OrderJson>>;
  /** Waits for so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  /** Pause after so many failures where the backend names none, in milliseconds. */
  readonly backoffMs: (failures: number) => number;
  /** Called before each repetition. */
  readonly onRepeat: () => void;
}

/** Sendings of one submission, the first included; after that it is the visitor who decides. */
const MAX_SENDINGS = 4;

/** A backend that asks for more patience than this gets it from the visitor. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Sends an attempt, and repeats it with the same key while its outcome is open: an answer got lost, the backend is
 * overloaded or away, or an earlier sending of the same key is still under way.
 */
export async function submitOrder(attempt: Attempt, options: SubmitOptions): Promise<Outcome> {
  for (let failures = 0; ; failures += 1) {
    const answer = await options.send(attempt);
    if (answer.kind === "ok") return { kind: "placed", order: answer.body };
    const problem = answer.kind === "problem" ? answer.problem : undefined;
    if (problem && !isOpen(problem)) return { kind: "refused", problem };
    const waitMs = problem?.retryAfterMs ?? options.backoffMs(failures);
    if (failures + 1 >= MAX_SENDINGS || waitMs > LONGEST_WAIT_MS) {
      return { kind: "unsettled", problem };
    }
    await options.wait(waitMs);
    options.onRepeat();
  }
}

/** Whether an error answer leaves open what became of the attempt, or asks for it to be sent again. */
function isOpen({ status, code }: Problem): boolean {
  return status >= 500 || status === 429 || status === 408 || code === "IDEMPOTENCY_KEY_IN_USE";
}
