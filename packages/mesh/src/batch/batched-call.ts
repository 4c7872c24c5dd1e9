import { AsyncResource } from "node:async_hooks";
import type { PendingResult } from "@smartcart/runtime";

/** What bounds one batched call. */
export interface BatchedCall {
  /** Ends the wait of this caller; the run goes on for the others. */
  readonly signal?: AbortSignal | undefined;
  /** Unix time in milliseconds at which this caller stops waiting. */
  readonly deadlineAtMs?: number | undefined;
  /** The error of a caller whose deadline has passed. */
  readonly onDeadline: () => Error;
}

/** A call that waits for its run, or for the answer of it. */
export class BatchEntry<I, O> implements PendingResult<O> {
  readonly item: I;
  readonly deadlineAtMs: number | undefined;
  readonly answer: Promise<O>;
  /** Of the caller. `AsyncLocalStorage.snapshot` costs a hundred times as much, 3 µs a call. */
  readonly #context = new AsyncResource("BatchEntry");
  readonly #resolve: (output: O) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #stopWaiting: () => void;
  #settled = false;

  constructor(item: I, call: BatchedCall) {
    const { promise, resolve, reject } = Promise.withResolvers<O>();
    this.item = item;
    this.deadlineAtMs = call.deadlineAtMs;
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stopWaiting = boundWait(call, (reason) => this.reject(reason));
  }

  /** Runs a function in the asynchronous context of the caller. */
  inContext<T>(fn: () => T): T {
    return this.#context.runInAsyncScope(fn);
  }

  /** Whether the caller has its answer, or has gone. */
  get settled(): boolean {
    return this.#settled;
  }

  resolve(output: O): void {
    this.#settle();
    this.#resolve(output);
  }

  reject(reason: unknown): void {
    this.#settle();
    this.#reject(reason);
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#stopWaiting();
  }
}

/** Calls `end` when the caller's time is up or it gives up. Returns how to stop that. */
function boundWait(call: BatchedCall, end: (reason: unknown) => void): () => void {
  const { signal, deadlineAtMs, onDeadline } = call;
  const timer =
    deadlineAtMs === undefined
      ? undefined
      : setTimeout(() => end(onDeadline()), Math.max(0, deadlineAtMs - Date.now()));
  const onAbort = () => end(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) {
    queueMicrotask(onAbort);
  }
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
}

/** The latest deadline of the entries; undefined where one of them has none. */
export function latestDeadline(
  entries: readonly Pick<BatchEntry<unknown, unknown>, "deadlineAtMs">[],
): number | undefined {
  let latest = 0;
  for (const { deadlineAtMs } of entries) {
    if (deadlineAtMs === undefined) {
      return undefined;
    }
    latest = Math.max(latest, deadlineAtMs);
  }
  return latest;
}
