import { AsyncLocalStorage } from "node:async_hooks";
import { isFaultOfTheMoment } from "./sql-errors.ts";

/** How concurrent items are batched. */
export interface CoalescerOptions<I, O> {
  /** Names it in errors: "orders.insert". */
  name: string;
  /** Most items in one run. */
  maxItems: number;
  /** Most runs under way at once. Default 1. */
  maxConcurrent?: number;
  /**
   * Does the work. Answers each item at its own index; an Error there rejects that item alone. When it rejects, nothing may
   * have been done: one statement or one transaction, for it is called again with parts of the items.
   */
  run: (items: readonly I[]) => Promise<readonly (O | Error)[]>;
}

interface Entry<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Folds concurrent calls into runs: calls made in the same turn of the event loop share one, and so do those that come
 * while `maxConcurrent` runs are under way. Each item is in one run that succeeds, in the order of the calls.
 *
 * A lone call starts at the end of the current turn; no timer is involved. The longer runs take, the more calls the next
 * one holds, so under load it adapts by itself.
 *
 * One bad item does not fail the others of its run: a run that rejects is repeated in halves, until only what is at fault is
 * rejected. Where the database is away, or a lock or the time ran out, it is no item's fault: then all are rejected.
 */
export function createCoalescer<I, O>(o: CoalescerOptions<I, O>): (item: I) => Promise<O> {
  const maxConcurrent = o.maxConcurrent ?? 1;
  // A run works for many callers: it must not inherit the deadline, cancellation or trace of whoever came first.
  const outsideOfAnyCall = AsyncLocalStorage.snapshot();
  let waiting: Entry<I, O>[] = [];
  let underWay = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || waiting.length === 0 || underWay >= maxConcurrent) return;
    scheduled = true;
    // Not a microtask: those run between the reads of two sockets, and each run would hold a single call.
    setImmediate(start);
  };
  const start = () => {
    scheduled = false;
    while (waiting.length > 0 && underWay < maxConcurrent) {
      const entries = waiting.length <= o.maxItems ? waiting : waiting.slice(0, o.maxItems);
      waiting = entries === waiting ? [] : waiting.slice(o.maxItems);
      underWay++;
      void outsideOfAnyCall(answer, o, entries).then(() => {
        underWay--;
        schedule();
      });
    }
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}

/** Never rejects. */
async function answer<I, O>(
  o: CoalescerOptions<I, O>,
  entries: readonly Entry<I, O>[],
): Promise<void> {
  let results: readonly (O | Error)[];
  try {
    results = await o.run(entries.map((entry) => entry.item));
  } catch (error) {
    if (entries.length > 1 && !isFaultOfTheMoment(error)) return answerInHalves(o, entries);
    return rejectAll(entries, error);
  }
  if (results.length !== entries.length) {
    const counts = `${results.length} results for ${entries.length} items`;
    return rejectAll(entries, new Error(`${o.name} answered ${counts}`));
  }
  for (const [index, entry] of entries.entries()) {
    const result = results[index] as O | Error;
    if (result instanceof Error) entry.reject(result);
    else entry.resolve(result);
  }
}

/** One after the other: it keeps the order, and the run's slot is the only one it has. */
async function answerInHalves<I, O>(
  o: CoalescerOptions<I, O>,
  entries: readonly Entry<I, O>[],
): Promise<void> {
  const middle = Math.ceil(entries.length / 2);
  await answer(o, entries.slice(0, middle));
  await answer(o, entries.slice(middle));
}

function rejectAll<I, O>(entries: readonly Entry<I, O>[], error: unknown): void {
  for (const entry of entries) entry.reject(error);
}
