import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import { deleteOlder } from "./store.ts";

const PRUNE_EVERY_MS = 10 * 60 * 1000;
/** Small enough to be quick, so that pruning never holds anybody up. */
const CHUNK_SIZE = 5000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** What retention works with. */
export interface RetentionOptions {
  readonly database: Queryable;
  readonly log: Logger;
  /** Days that records are kept. */
  readonly days: number;
  readonly now: () => Date;
}

/** Deletes records that are too old: at once, and then every ten minutes. Several may run at once. */
export function startRetention(o: RetentionOptions): AsyncDisposable {
  const timer = startTimer({
    name: "log.retention",
    intervalMs: PRUNE_EVERY_MS,
    log: o.log,
    async run(signal) {
      const before = new Date(o.now().getTime() - o.days * DAY_MS);
      let total = 0;
      let deleted = CHUNK_SIZE;
      while (deleted === CHUNK_SIZE && !signal.aborted) {
        deleted = await deleteOlder(o.database, before, CHUNK_SIZE);
        total += deleted;
      }
      if (total > 0) o.log.info("log.pruned", { records: total, before: before.toISOString() });
    },
  });
  timer.poke();
  return timer;
}
