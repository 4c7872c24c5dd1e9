import { AsyncLocalStorage } from "node:async_hooks";

/** How calls are folded. */
export interface CallBatcherOptions<I, O> {
  /** Most items in one run. */
  readonly maxItems: number;
  /** Runs at once; default 2. */
  readonly maxConcurrent?: number;
  /** A run that takes longer makes room for another, so that one slow item does not hold up all others. Default 50. */
  readonly slowAfterMs?: number;
  /**
   * Works on the items and answers in their order; an Error stands for the failure of that item alone, a rejection for
   * the failure of all. `deadlineAtMs` is the latest of the items' deadlines, undefined where one of them has none.
   */
  readonly run: (
    items: readonly I[],
    deadlineAtMs: number | undefined,
  ) => Promise<readonly (O | Error)[]>;
}

/** What bounds one folded call. */
export interface BatchedCall {
  /** Ends the wait of this caller; the run goes on for the others. */
  readonly signal?: AbortSignal | undefined;
  /** Unix time in milliseconds at which this caller stops waiting. */
  readonly deadlineAtMs?: number | undefined;
  /** The error of a caller whose deadline has passed. */
  readonly onDeadline: () => Error;
}

interface Entry<I, O> {
  readonly item: I;
  /** Runs a function in the asynchronous context of the caller. */
  readonly inContext: <T>(fn: () => T) => T;
  readonly deadlineAtMs: number | undefined;
  readonly resolve: (output: O) => void;
  readonly reject: (reason: unknown) => void;
  settled: boolean;
}

const defaultMaxConcurrent = 2;
const defaultSlowAfterMs = 50;

/**
 * Folds concurrent calls into runs of many items: those made in the same turn of the event loop, and those that come
 * while `maxConcurrent` runs are under way. No call waits for a timer, so a lonely one goes out at once.
 *
 * A run's deadline is the latest one of its items, not the earliest: otherwise a caller with little time left would end
 * the calls of all others, with an outcome that nobody knows. Each caller stops waiting at its own deadline or abort;
 * an item whose caller is gone before its run began is left out. A run belongs to the asynchronous context (the trace) of
 * its first item.
 */
export function createCallBatcher<I, O>(
  o: CallBatcherOptions<I, O>,
): (item: I, call: BatchedCall) => Promise<O> {
  const maxConcurrent = o.maxConcurrent ?? defaultMaxConcurrent;
  const queue: Entry<I, O>[] = [];
  let busy = 0;
  let scheduled = false;

  function schedule(): void {
    if (!scheduled && queue.length > 0 && busy < maxConcurrent) {
      scheduled = true;
      // After the poll phase: requests that arrived on other sockets in the same turn are in the queue by then.
      setImmediate(dispatch);
    }
  }

  function dispatch(): void {
    scheduled = false;
    while (busy < maxConcurrent) {
      const entries = takeWaiting(queue, o.maxItems);
      const [first] = entries;
      if (first === undefined) {
        return;
      }
      void work(first, entries);
    }
  }

  async function work(first: Entry<I, O>, entries: readonly Entry<I, O>[]): Promise<void> {
    busy += 1;
    let holdsSlot = true;
    const release = () => {
      if (holdsSlot) {
        holdsSlot = false;
        busy -= 1;
        schedule();
      }
    };
    const slow = setTimeout(release, o.slowAfterMs ?? defaultSlowAfterMs);
    try {
      const items = entries.map((entry) => entry.item);
      const outputs = first.inContext(() => o.run(items, latestDeadline(entries)));
      settleAll(entries, await outputs);
    } catch (reason) {
      for (const entry of entries) {
        entry.reject(reason);
      }
    } finally {
      clearTimeout(slow);
      release();
    }
  }

  return (item, call) => {
    const { promise, resolve, reject } = Promise.withResolvers<O>();
    const stopWaiting = boundWait(call, (reason) => settle(() => reject(reason)));
    const entry: Entry<I, O> = {
      item,
      inContext: AsyncLocalStorage.snapshot(),
      deadlineAtMs: call.deadlineAtMs,
      resolve: (output) => settle(() => resolve(output)),
      reject: (reason) => settle(() => reject(reason)),
      settled: false,
    };
    function settle(how: () => void): void {
      entry.settled = true;
      stopWaiting();
      how();
    }
    if (!entry.settled) {
      queue.push(entry);
      schedule();
    }
    return promise;
  };
}

function takeWaiting<I, O>(queue: Entry<I, O>[], maxItems: number): Entry<I, O>[] {
  const entries: Entry<I, O>[] = [];
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

function settleAll<I, O>(entries: readonly Entry<I, O>[], outputs: readonly (O | Error)[]): void {
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

function latestDeadline(
  entries: readonly Pick<Entry<unknown, unknown>, "deadlineAtMs">[],
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
