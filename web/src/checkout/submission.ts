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

/** The progress of the order that this tab or another one sends. */
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

/** Sends one order at a time in the whole browser, again and again until its outcome is known. */
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

interface SubmissionOptions {
  readonly attempt: Stored<Attempt | undefined>;
  readonly send: (attempt: OpenAttempt, signal: AbortSignal) => Promise<Answer<OrderJson>>;
  /** Called once for each order that is placed, before the attempt is forgotten. */
  readonly onPlaced: (body: string) => void;
}

/** What the parts of a submission share. */
interface Sending extends SubmissionOptions {
  readonly state: Observable<SubmissionState>;
  /** Key of the attempt that this tab is about. */
  followed: string;
}

/** Sends nothing before `submit` or `resume`. */
export function createSubmission(options: SubmissionOptions): Submission {
  const { attempt } = options;
  const state = createObservable<SubmissionState>({ kind: "idle" });
  const sending: Sending = { ...options, state, followed: "" };
  let running: AbortController | undefined;

  const run = (prepare: () => OpenAttempt | undefined): void => {
    if (running) return;
    const end = new AbortController();
    running = end;
    state.set({ kind: "sending", failures: 0 });
    const work = async (): Promise<void> => {
      const earlier = openAttempt(attempt.reload());
      const open = earlier ?? prepare();
      if (open) await sendUntilSettled(sending, open, earlier !== undefined, end.signal);
      else showStored(sending);
    };
    exclusively(end.signal, work)
      // Given up, here or in another tab.
      .catch(() => showStored(sending))
      .finally(() => {
        if (running === end) running = undefined;
      });
  };
  const resume = (): void => {
    const open = openAttempt(attempt.get());
    if (!open) return;
    sending.followed = open.key;
    run(() => undefined);
  };

  attempt.subscribe(() => {
    if (openAttempt(attempt.get())) resume();
    // Another tab has given it up: what is sent here must not place it after all.
    else if (attempt.get() === undefined) running?.abort();
  });
  return {
    get: state.get,
    subscribe: state.subscribe,
    submit(body) {
      const seen = body();
      run(() => prepareAttempt(sending, seen, body()));
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

/** A new attempt, where the order is still the one that the customer saw. */
function prepareAttempt(
  sending: Sending,
  seen: string | undefined,
  fresh: string | undefined,
): OpenAttempt | undefined {
  if (fresh !== undefined && fresh === seen) {
    return { key: newIdempotencyKey(), body: fresh, sentAtMs: Date.now() };
  }
  const stored = sending.attempt.get();
  // Another tab has just ordered what was in the basket.
  if (fresh === undefined && stored && "outcome" in stored) sending.followed = stored.key;
  else sending.state.set({ kind: "changed" });
  return undefined;
}

/** How the attempt ended that this tab is about; what became of others is none of its business. */
function showStored({ attempt, state, followed }: Sending): void {
  const stored = attempt.reload();
  if (stored && "outcome" in stored && stored.key === followed) state.set(stored.outcome);
  else if (state.get().kind === "sending") state.set({ kind: "idle" });
}

async function sendUntilSettled(
  sending: Sending,
  open: OpenAttempt,
  isRepeat: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { attempt, state, send, onPlaced } = sending;
  sending.followed = open.key;
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
}
