import { AsyncLocalStorage } from "node:async_hooks";

/** What bounds one folded call. */
export interface BatchedCall {
  /** Ends the wait of this caller; the run goes on for the others. */
  readonly signal?: AbortSignal | undefined;
  /** Unix time in milliseconds at which this caller stops waiting. */
  readonly deadlineAtMs?: number | undefined;
  /** The error of a caller whose deadline has passed. */
  readonly onDeadline: () => Error;
}

/** A call that waits for its run, or for the answer of it. */
export class BatchEntry<I, O> {
  readonly item: I;
  readonly deadlineAtMs: number | undefined;
  /** Runs a function in the asynchronous context of the caller. */
  readonly inContext: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();
  readonly answer: Promise<O>;
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

/** The next entries whose callers still wait. */
export function takeWaiting<I, O>(queue: BatchEntry<I, O>[], maxItems: number): BatchEntry<I, O>[] {
  const entries: BatchEntry<I, O>[] = [];
  while (entries.length < maxItems) {
    const entry = queue.shift();
    if (entry === undefined) {
      break;
    }
    if (!entry.settled) {
      entries.push(entry);
    }
  }
  return entries;
}

/** Gives each caller its answer. @throws Error where there are more or fewer answers than callers. */
export function settleAll<I, O>(
  entries: readonly BatchEntry<I, O>[],
  outputs: readonly (O | Error)[],
): void {
  if (outputs.length !== entries.length) {
    throw new Error(`${entries.length} items got ${outputs.length} answers`);
  }
  for (const [i, entry] of entries.entries()) {
    const output = outputs[i] as O | Error;
    if (output instanceof Error) {
      entry.reject(output);
    } else {
      entry.resolve(output);
    }
  }
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
