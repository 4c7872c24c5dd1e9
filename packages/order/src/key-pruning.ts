/** Forgets idempotency keys that are old enough, so that their table is as large as the traffic of that time and no larger. */
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import { pruneKeys } from "./store/idempotency-keys.ts";

interface KeyPruningOptions {
  readonly database: Queryable;
  readonly log: Logger;
  /** Age from which a key is forgotten, in milliseconds. */
  readonly ageMs: number;
  /** Pause between two rounds, in milliseconds. Default 60,000. */
  readonly intervalMs?: number;
  /** Most keys in one statement. Default 1,000: such a statement takes milliseconds, so it delays no order. */
  readonly batchSize?: number;
}

/** An age that means "never", and that PostgreSQL can still reckon with. */
const longestAgeMs = 1_000 * 365 * 24 * 60 * 60 * 1_000;

/** Prunes on a timer, in each round until nothing is left that is old enough: it keeps pace with any rate of new keys. */
export function startKeyPruning(options: KeyPruningOptions): AsyncDisposable {
  const { database, log, intervalMs = 60_000, batchSize = 1_000 } = options;
  const ageMs = Math.min(options.ageMs, longestAgeMs);
  return startTimer({
    name: "order.key-pruning",
    intervalMs,
    log,
    async run(signal) {
      let total = 0;
      for (let pruned = batchSize; pruned === batchSize && !signal.aborted; total += pruned) {
        pruned = await pruneKeys(database, ageMs, batchSize);
      }
      if (total > 0) log.info("order.keys_pruned", { keys: total });
    },
  });
}
