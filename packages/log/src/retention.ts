import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import type { StoredSize } from "./store.ts";
import { deleteBefore, deleteOlder, readStoredSize } from "./store.ts";

const PRUNE_EVERY_MS = 60 * 1000;
/** Small enough to be quick, so that pruning never holds anything up. */
const CHUNK_SIZE = 5000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Pages that are looked at to know how large a record is. */
const SAMPLE_PAGES = 200;
/** Entries of a record in five indexes. */
const INDEX_BYTES = 250;

/** What retention works with. */
export interface RetentionOptions {
  readonly database: Queryable;
  readonly log: Logger;
  /** Days that records are kept. */
  readonly days: number;
  /** Bytes of records that are kept. */
  readonly bytes: number;
  readonly now: () => Date;
}

/** Deletes records that are too old or too many: at once, and then every minute. Several may run at once. */
export function startRetention(o: RetentionOptions): AsyncDisposable {
  const { database } = o;
  const timer = startTimer({
    name: "log.retention",
    intervalMs: PRUNE_EVERY_MS,
    log: o.log,
    async run(signal) {
      const before = new Date(o.now().getTime() - o.days * DAY_MS);
      const old = await inChunks(signal, () => deleteOlder(database, before, CHUNK_SIZE));
      if (old > 0) o.log.info("log.pruned", { records: old, before: before.toISOString() });
      const first = firstToKeep(await readStoredSize(database, SAMPLE_PAGES), o.bytes);
      const excess = await inChunks(signal, () => deleteBefore(database, first, CHUNK_SIZE));
      if (excess > 0) o.log.info("log.pruned", { records: excess, maxBytes: o.bytes });
    },
  });
  timer.poke();
  return timer;
}

/** The position of the first record to keep; pure. Positions are contiguous but for those of records that came twice. */
export function firstToKeep(stored: StoredSize, maxBytes: number): string {
  const bytes = stored.records * (stored.bytesPerRecord + INDEX_BYTES);
  if (bytes <= maxBytes) return stored.oldest;
  const excess = Math.ceil(stored.records * (1 - maxBytes / bytes));
  return `${BigInt(stored.oldest) + BigInt(excess)}`;
}

async function inChunks(signal: AbortSignal, remove: () => Promise<number>): Promise<number> {
  let total = 0;
  let deleted = CHUNK_SIZE;
  while (deleted === CHUNK_SIZE && !signal.aborted) {
    deleted = await remove();
    total += deleted;
  }
  return total;
}
