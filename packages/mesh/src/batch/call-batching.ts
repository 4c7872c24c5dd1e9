import { createBatcher, rejectAll, settleEach } from "@smartcart/runtime";
import type { BatchedCall } from "./batched-call.ts";
import { BatchEntry, latestDeadline } from "./batched-call.ts";

/** How calls are batched. */
export interface CallBatcherOptions<I, O> {
  /** Most items in one run. */
  readonly maxItems: number;
  /** Runs at once; default 2. */
  readonly maxConcurrent?: number;
  /** A run that takes longer than this, in milliseconds, lets another run start, so that one slow item does not hold up all others. Default 50. */
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

const defaultMaxConcurrent = 2;
const defaultSlowAfterMs = 50;

/**
 * Batches concurrent calls into runs of many items: those made in the same turn of the event loop, and those that come
 * while `maxConcurrent` runs are under way. No call waits for a timer, so a single call is sent at once.
 *
 * A run's deadline is the latest one of its items, not the earliest: otherwise a caller with little time left would end
 * the calls of all others, with an outcome that is unknown. Each caller stops waiting at its own deadline or abort;
 * an item whose caller is gone before its run began is left out. A run belongs to the asynchronous context (the trace) of
 * its first item.
 */
export function createCallBatcher<I, O>(
  o: CallBatcherOptions<I, O>,
): (item: I, call: BatchedCall) => Promise<O> {
  const add = createBatcher<BatchEntry<I, O>>({
    maxItems: o.maxItems,
    maxConcurrent: o.maxConcurrent ?? defaultMaxConcurrent,
    slowAfterMs: o.slowAfterMs ?? defaultSlowAfterMs,
    isWanted: (entry) => !entry.settled,
    run: (entries) => work(o, entries),
  });
  return (item, call) => {
    const entry = new BatchEntry<I, O>(item, call);
    add(entry);
    return entry.answer;
  };
}

/** Never rejects. */
async function work<I, O>(
  o: CallBatcherOptions<I, O>,
  entries: readonly BatchEntry<I, O>[],
): Promise<void> {
  const items = entries.map((entry) => entry.item);
  try {
    const run = () => o.run(items, latestDeadline(entries));
    settleEach("the batch", entries, await (entries[0]?.inContext(run) ?? run()));
  } catch (reason) {
    rejectAll(entries, reason);
  }
}
