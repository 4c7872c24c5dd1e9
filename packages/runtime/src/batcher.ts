interface BatcherOptions<E> {
  /** Most entries in one run. */
  readonly maxItems: number;
  /** Most runs under way at once. */
  readonly maxConcurrent: number;
  /** A run that takes longer, in milliseconds, frees its slot, so that it does not hold up the others. Default: it keeps it to its end. */
  readonly slowAfterMs?: number;
  /** Called just before a run; entries for which it is false are dropped. Default: none is. */
  readonly isWanted?: (entry: E) => boolean;
  /** Works on entries, in the order in which they were added. Must not reject. */
  readonly run: (entries: readonly E[]) => Promise<void>;
}

/**
 * Batches single entries: those added in the same turn of the event loop share a run, and so do those added while `maxConcurrent`
 * runs are under way. Each entry is in one run.
 *
 * A lone entry starts at the end of the current turn; no timer is involved. The longer runs take, the more entries the next one
 * holds, so the size adapts to the load.
 *
 * @returns adds an entry
 */
export function createBatcher<E>(o: BatcherOptions<E>): (entry: E) => void {
  let waiting: E[] = [];
  let underWay = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || waiting.length === 0 || underWay >= o.maxConcurrent) return;
    scheduled = true;
    // Not a microtask: those run between the reads of two sockets, and each run would hold a single entry.
    setImmediate(start);
  };
  const start = () => {
    scheduled = false;
    while (waiting.length > 0 && underWay < o.maxConcurrent) {
      const isWhole = waiting.length <= o.maxItems;
      const entries = isWhole ? waiting : waiting.slice(0, o.maxItems);
      waiting = isWhole ? [] : waiting.slice(o.maxItems);
      const wanted = o.isWanted === undefined ? entries : entries.filter(o.isWanted);
      if (wanted.length > 0) begin(wanted);
    }
  };
  const begin = (entries: readonly E[]) => {
    underWay += 1;
    let isCounted = true;
    const release = () => {
      if (!isCounted) return;
      isCounted = false;
      underWay -= 1;
      schedule();
    };
    const slow = o.slowAfterMs === undefined ? undefined : setTimeout(release, o.slowAfterMs);
    void o.run(entries).finally(() => {
      clearTimeout(slow);
      release();
    });
  };

  return (entry) => {
    waiting.push(entry);
    schedule();
  };
}

/** A caller that waits for its result. */
export interface PendingResult<O> {
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gives each caller the result at its own index; an Error there rejects that caller alone. Where there are more or fewer results
 * than callers, all are rejected, with `name` in the message.
 */
export function settleEach<O>(
  name: string,
  callers: readonly PendingResult<O>[],
  results: readonly (O | Error)[],
): void {
  if (results.length !== callers.length) {
    const counts = `${results.length} results for ${callers.length} items`;
    rejectAll(callers, new Error(`${name} answered ${counts}`));
    return;
  }
  for (const [index, caller] of callers.entries()) {
    const result = results[index] as O | Error;
    if (result instanceof Error) caller.reject(result);
    else caller.resolve(result);
  }
}

/** Rejects every caller with the same error. */
export function rejectAll(callers: readonly PendingResult<never>[], error: unknown): void {
  for (const caller of callers) caller.reject(error);
}
