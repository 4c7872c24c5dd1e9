/** Deletes what has had its time: entries of the ledger, and imports that nobody committed. */
import type { Logger, Timer } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { pruneImports } from "./store/catalogue-imports.ts";
import { pruneAdjustments } from "./store/stock-adjustments.ts";

/** Pause between two rounds. */
const intervalMs = 600_000;
/** How long a staged import waits for its commit, and a committed one answers a repeated commit. */
const importMs = 3_600_000;
/** Entries that are deleted in one transaction at most: it locks the stock of their products. */
const batchSize = 500;

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
      if (ledgerDays === 0) return;
      let deleted = batchSize;
      while (deleted === batchSize && !signal.aborted) {
        deleted = await pruneAdjustments(database, ledgerDays, batchSize);
        if (deleted > 0) log.info("adjustments.deleted", { count: deleted });
      }
    },
  });
}
