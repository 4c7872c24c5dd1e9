import type { BatchedCall } from "./batched-call.ts";
import { BatchEntry, latestDeadline, settleAll, takeWaiting } from "./batched-call.ts";

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
  const queue: BatchEntry<I, O>[] = [];
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
      if (entries.length === 0) {
        return;
      }
      void work(entries);
    }
  }

  async function work(entries: readonly BatchEntry<I, O>[]): Promise<void> {
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
    await settleBy(o.run, entries);
    clearTimeout(slow);
    release();
  }

  return (item, call) => {
    const entry = new BatchEntry<I, O>(item, call);
    queue.push(entry);
    schedule();
    return entry.answer;
  };
}

/** Makes the run of these calls, and gives each its outcome. Never rejects. */
async function settleBy<I, O>(
  run: CallBatcherOptions<I, O>["run"],
  entries: readonly BatchEntry<I, O>[],
): Promise<void> {
  const [first] = entries;
  try {
    const items = entries.map((entry) => entry.item);
    const outputs = first?.inContext(() => run(items, latestDeadline(entries)));
    settleAll(entries, (await outputs) ?? []);
  } catch (reason) {
    for (const entry of entries) {
      entry.reject(reason);
    }
  }
}
