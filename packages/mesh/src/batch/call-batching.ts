import { AsyncLocalStorage } from "node:async_hooks";
import type { PendingResult } from "@smartcart/runtime";
import { createBatcher, rejectAll, settleEach } from "@smartcart/runtime";

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

interface Entry<I, O> extends PendingResult<O> {
  readonly item: I;
  /** Runs a function in the asynchronous context of the caller. */
  readonly inContext: <T>(fn: () => T) => T;
  readonly deadlineAtMs: number | undefined;
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
  const add = createBatcher<Entry<I, O>>({
    maxItems: o.maxItems,
    maxConcurrent: o.maxConcurrent ?? defaultMaxConcurrent,
    slowAfterMs: o.slowAfterMs ?? defaultSlowAfterMs,
    isWanted: (entry) => !entry.settled,
    run: (entries) => work(o, entries),
  });

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
      add(entry);
    }
    return promise;
  };
}

/** Never rejects. */
async function work<I, O>(
  o: CallBatcherOptions<I, O>,
  entries: readonly Entry<I, O>[],
): Promise<void> {
  const items = entries.map((entry) => entry.item);
  try {
    const run = () => o.run(items, latestDeadline(entries));
    settleEach("the batch", entries, await (entries[0]?.inContext(run) ?? run()));
  } catch (reason) {
    rejectAll(entries, reason);
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
