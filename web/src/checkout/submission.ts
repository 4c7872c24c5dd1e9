/**
 * The order that is being sent. It belongs to the page, not to a view: it goes on wherever the customer looks, begins
 * again by itself after a reload, and ends only with an answer. All tabs share one attempt, and one of them sends it.
 */
import type { OrderJson } from "@smartcart/gen/order/v1/order_pb";
import type { Problem } from "../api/problem.ts";
import type { Answer } from "../api/rest.ts";
import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { Stored } from "../storage.ts";
import type { Attempt, AttemptOutcome, OpenAttempt } from "./attempt.ts";
import { isRepeatable, newIdempotencyKey, openAttempt } from "./attempt.ts";
import { exclusively } from "./exclusively.ts";
import { submitOrder } from "./submit-order.ts";

export type SubmissionState =
  | { readonly kind: "idle" }
  /** Being sent, here or in another tab. `failures` counts the sendings that brought no answer. */
  | {
      readonly kind: "sending";
      readonly failures: number;
      readonly problem?: Problem | undefined;
    }
  /** It goes on when the customer has signed in. */
  | { readonly kind: "signed-out"; readonly problem: Problem }
  /** Too old to be sent again: the shop may have forgotten its key. */
  | { readonly kind: "expired"; readonly sentAtMs: number }
  /** Not sent: the basket is not the one that the customer saw. */
  | { readonly kind: "changed" }
  | AttemptOutcome;

export interface Submission extends Pick<Observable<SubmissionState>, "get" | "subscribe"> {
  /**
   * Sends the order that `body` makes, or goes on with the attempt that is open. `body` is called twice, the second
   * time when no other tab is sending: where it then makes another one, nothing is sent.
   */
  submit(body: () => string | undefined): void;
  /** Goes on with the open attempt, if there is one. */
  resume(): void;
  /** Forgets the open attempt, whatever became of it. */
  giveUp(): void;
  /** The customer has seen how it ended. */
  acknowledge(): void;
}

export interface SubmissionOptions {
  readonly attempt: Stored<Attempt | undefined>;
  readonly send: (attempt: OpenAttempt, signal: AbortSignal) => Promise<Answer<OrderJson>>;
  /** Called once for each order that is placed, before the attempt is forgotten. */
  readonly onPlaced: (body: string) => void;
}

export function createSubmission({ attempt, send, onPlaced }: SubmissionOptions): Submission {
  const state = createObservable<SubmissionState>({ kind: "idle" });
  let running: AbortController | undefined;
  /** Key of the attempt that this tab is about. */
  let followed = "";

  /** How the attempt ended that this tab was about; what became of others is none of its business. */
  const showStored = (): void => {
    const stored = attempt.reload();
    if (stored && "outcome" in stored && stored.key === followed) state.set(stored.outcome);
    else if (state.get().kind === "sending") state.set({ kind: "idle" });
  };

  const sendUntilSettled = async (
    open: OpenAttempt,
    isRepeat: boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    followed = open.key;
    if (!isRepeatable(open, Date.now())) {
      return state.set({ kind: "expired", sentAtMs: open.sentAtMs });
    }
    // Stored before it is sent: a reload then repeats it under the same key.
    if (!isRepeat) attempt.set(open);
    const outcome = await submitOrder(open, {
      isRepeat,
      send: (one) => send(one, signal),
      wait: (ms) => pause(ms, signal),
      backoffMs: (failures) => backoffMs(failures, Math.random()),
      onOpen: (failures, problem) => state.set({ kind: "sending", failures, problem }),
    });
    if (outcome.kind !== "signed-out") {
      if (outcome.kind === "placed") onPlaced(open.body);
      attempt.set({ key: open.key, outcome });
    }
    state.set(outcome);
  };

  const run = (prepare: () => OpenAttempt | undefined): void => {
    if (running) return;
    const end = new AbortController();
    running = end;
    state.set({ kind: "sending", failures: 0 });
    const work = async (): Promise<void> => {
      const earlier = openAttempt(attempt.reload());
      const open = earlier ?? prepare();
      if (open) await sendUntilSettled(open, earlier !== undefined, end.signal);
      else showStored();
    };
    exclusively(end.signal, work)
      // Given up, here or in another tab.
      .catch(showStored)
      .finally(() => {
        if (running === end) running = undefined;
      });
  };

  const resume = (): void => {
    const open = openAttempt(attempt.get());
    if (!open) return;
    followed = open.key;
    run(() => undefined);
  };

  attempt.subscribe(() => {
    const open = openAttempt(attempt.get());
    if (open) resume();
    // Another tab has given it up: what is sent here must not place it after all.
    else if (attempt.get() === undefined) running?.abort();
  });

  return {
    get: state.get,
    subscribe: state.subscribe,
    submit(body) {
      const seen = body();
      run(() => {
        const fresh = body();
        if (fresh !== undefined && fresh === seen) {
          return { key: newIdempotencyKey(), body: fresh, sentAtMs: Date.now() };
        }
        const stored = attempt.get();
        // Another tab has just ordered what was in the basket.
        if (fresh === undefined && stored && "outcome" in stored) followed = stored.key;
        else state.set({ kind: "changed" });
        return undefined;
      });
    },
    resume,
    giveUp() {
      attempt.set(undefined);
      // What follows need not wait for the end of it.
      running = undefined;
      state.set({ kind: "idle" });
    },
    acknowledge: () => state.set({ kind: "idle" }),
  };
}
