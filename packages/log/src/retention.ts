import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import type { Deleted, StoredSize } from "./store.ts";
import { deleteBefore, deleteOlder, readStoredSize } from "./store.ts";

const pruneEveryMs = 60 * 1000;
/** Batches: few enough to be quick, so that pruning never holds anything up. */
const chunkSize = 100;
const dayMs = 24 * 60 * 60 * 1000;
/** Pages that are looked at to know how large a batch is. */
const samplePages = 200;
/** Of a batch, beside its arrays: the row and its entries in the indexes. */
const rowBytes = 300;
/** Of an order or a trace: in the row and in its index. */
const keyBytes = 32;

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
    intervalMs: pruneEveryMs,
    log: o.log,
    async run(signal) {
      const before = new Date(o.now().getTime() - o.days * dayMs);
      const old = await inChunks(signal, () => deleteOlder(database, before, chunkSize));
      if (old > 0) o.log.info("log.pruned", { records: old, before: before.toISOString() });
      const first = firstToKeep(await readStoredSize(database, samplePages), o.bytes);
      const excess = await inChunks(signal, () => deleteBefore(database, first, chunkSize));
      if (excess > 0) o.log.info("log.pruned", { records: excess, maxBytes: o.bytes });
    },
  });
  timer.poke();
  return timer;
}

/** The first batch to keep; pure. Batches are numbered without gaps, but for a write that failed. */
export function firstToKeep(stored: StoredSize, maxBytes: number): string {
  const bytesPerBatch = stored.bytesPerBatch + rowBytes + stored.keysPerBatch * keyBytes;
  const bytes = stored.batches * bytesPerBatch;
  if (bytes <= maxBytes) return stored.oldest;
  const excess = Math.ceil(stored.batches * (1 - maxBytes / bytes));
  return `${BigInt(stored.oldest) + BigInt(excess)}`;
}

/** How many records went. */
async function inChunks(signal: AbortSignal, remove: () => Promise<Deleted>): Promise<number> {
  let total = 0;
  let batches = chunkSize;
  while (batches === chunkSize && !signal.aborted) {
    const deleted = await remove();
    batches = deleted.batches;
    total += deleted.records;
  }
  return total;
}
