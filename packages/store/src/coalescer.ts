import { AsyncLocalStorage } from "node:async_hooks";
import type { PendingResult } from "@smartcart/runtime";
import { createBatcher, rejectAll, settleEach } from "@smartcart/runtime";
import { isFaultOfTheMoment } from "./sql-errors.ts";

/** How concurrent items are batched. */
export interface CoalescerOptions<I, O> {
  /** Its name in errors: "orders.insert". */
  name: string;
  /** Most items in one run. */
  maxItems: number;
  /** Most runs under way at once. Default 1. */
  maxConcurrent?: number;
  /**
   * Does the work. Returns the result of each item at its own index; an Error there rejects that item alone. It must be atomic, one
   * statement or one transaction: when it rejects it is called again with parts of the items.
   */
  run: (items: readonly I[]) => Promise<readonly (O | Error)[]>;
}

interface Entry<I, O> extends PendingResult<O> {
  readonly item: I;
}

/**
 * Coalesces concurrent calls into runs, as `createBatcher` of runtime does. Each item is in one run that succeeds, in the order of
 * the calls.
 *
 * One bad item does not fail the others of its run: a run that rejects is repeated in halves, until only the failing items are
 * rejected. All are rejected where the database is unreachable, or a lock or statement timed out: no item is the cause then.
 */
export function createCoalescer<I, O>(o: CoalescerOptions<I, O>): (item: I) => Promise<O> {
  // A run works for many callers: it must not inherit the deadline, cancellation or trace of the first one.
  const outsideOfAnyCall = AsyncLocalStorage.snapshot();
  const add = createBatcher<Entry<I, O>>({
    maxItems: o.maxItems,
    maxConcurrent: o.maxConcurrent ?? 1,
    run: (entries) => outsideOfAnyCall(answer, o, entries),
  });
  return (item) => new Promise((resolve, reject) => add({ item, resolve, reject }));
}

/** Never rejects. */
async function answer<I, O>(
  o: CoalescerOptions<I, O>,
  entries: readonly Entry<I, O>[],
): Promise<void> {
  try {
    settleEach(o.name, entries, await o.run(entries.map((entry) => entry.item)));
  } catch (error) {
    if (entries.length === 1 || isFaultOfTheMoment(error)) return rejectAll(entries, error);
    // One half after the other: it keeps the order, and the run's slot is the only one it has.
    const middle = Math.ceil(entries.length / 2);
    await answer(o, entries.slice(0, middle));
    await answer(o, entries.slice(middle));
  }
}
