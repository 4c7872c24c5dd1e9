/** Deletes what has expired: ledger entries, imports that were not committed, and pictures that no product uses. */
import type { Logger, Timer } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { pruneImports } from "./store/catalogue-imports.ts";
import { prunePictures } from "./store/pictures.ts";
import { pruneAdjustments } from "./store/stock-adjustments.ts";

/** Pause between two rounds. */
const intervalMs = 600_000;
/** How long a staged import waits for its commit, and a committed one answers a repeated commit. */
const importMs = 3_600_000;
/** Entries that are deleted in one transaction at most: it locks the stock of their products. */
const batchSize = 500;

/** How long a picture waits for a product that refers to it. */
const pictureMs = 86_400_000;
/** Pictures that are looked at in one transaction at most. */
const pictureBatchSize = 100;

/** Starts the rounds. */
export function startCleaner(o: {
  readonly database: Database;
  /** Retention of the ledger; 0: for ever. */
  readonly ledgerDays: number;
  readonly log: Logger;
}): Timer {
  const { database, ledgerDays, log } = o;
  return startTimer({
    name: "inventory.cleaner",
    intervalMs,
    log,
    async run(signal) {
      const imports = await pruneImports(database, importMs);
      if (imports > 0) log.info("imports.deleted", { count: imports });
      await cleanPictures(database, log, signal);
      if (ledgerDays === 0) return;
      let deleted = batchSize;
      while (deleted === batchSize && !signal.aborted) {
        deleted = await pruneAdjustments(database, ledgerDays, batchSize);
        if (deleted > 0) log.info("adjustments.deleted", { count: deleted });
      }
    },
  });
}

async function cleanPictures(database: Database, log: Logger, signal: AbortSignal): Promise<void> {
  let checked = pictureBatchSize;
  while (checked === pictureBatchSize && !signal.aborted) {
    const round = await prunePictures(database, pictureMs, pictureBatchSize);
    if (round.deleted > 0) log.info("pictures.deleted", { count: round.deleted });
    checked = round.checked;
  }
}
