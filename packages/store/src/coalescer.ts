import { AsyncLocalStorage } from "node:async_hooks";

export interface CoalescerOptions<I, O> {
  /** Names it in errors: "orders.insert". */
  name: string;
  /** Most items in one run. */
  maxItems: number;
  /** Most runs under way at once. Default 1. */
  maxConcurrent?: number;
  /** Does the work. Answers each item at its own index; an Error there rejects that item alone. */
  run: (items: readonly I[]) => Promise<readonly (O | Error)[]>;
}

interface Entry<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Folds concurrent calls into runs: calls made in the same turn of the event loop share one, and so do those that come
 * while `maxConcurrent` runs are under way. Each item is in exactly one run, in the order of the calls.
 *
 * A lone call starts at the end of the current turn; no timer is involved. The longer runs take, the more calls the next
 * one holds, so under load it adapts by itself.
 *
 * When `run` throws or answers the wrong number of results, every item of that run is rejected; others are not touched.
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
  try {
    const results = await o.run(entries.map((entry) => entry.item));
    if (results.length !== entries.length) {
      throw new Error(`${o.name} answered ${results.length} results for ${entries.length} items`);
    }
    for (const [index, entry] of entries.entries()) {
      const result = results[index] as O | Error;
      if (result instanceof Error) entry.reject(result);
      else entry.resolve(result);
    }
  } catch (error) {
    for (const entry of entries) entry.reject(error);
  }
}
