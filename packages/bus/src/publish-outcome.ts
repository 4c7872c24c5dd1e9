import type { OutboxFailure, OutboxRow } from "./outbox.ts";
import type { PublishReport } from "./types.ts";

/** What a round of the relay does with its rows. */
export interface PublishOutcome {
  /** Positions to delete. */
  readonly confirmed: string[];
  /** Rows to give back. */
  readonly failures: OutboxFailure[];
  /** Those of `failures` that are not retried any more. */
  readonly parked: { id: string; type: string; error: string }[];
}

/**
 * Decides for each published row whether it is deleted, retried or parked; pure.
 *
 * - Confirmed rows are deleted, unless an earlier one of the same ordering key failed: that one is
 *   published again, and so must they be, after it.
 * - Nothing counts as an attempt while the queue is unreachable: an outage parks no row.
 * - Nothing counts either when a whole batch failed on a healthy queue, as one row can make the
 *   others fail; the caller halves the batch until that row is alone.
 */
export function publishOutcome(
  rows: readonly OutboxRow[],
  report: PublishReport,
  o: { healthy: boolean; maxAttempts: number },
): PublishOutcome {
  const ok = new Set(report.confirmed);
  const unroutable = new Set(report.unroutable);
  const blockedKeys = new Set<string>();
  const attributable = o.healthy && (ok.size > 0 || unroutable.size > 0 || rows.length === 1);
  const round: PublishOutcome = { confirmed: [], failures: [], parked: [] };

  for (const row of rows) {
    const blocked = row.orderingKey !== "" && blockedKeys.has(row.orderingKey);
    if (ok.has(row.id) && !blocked) {
      round.confirmed.push(row.position);
      continue;
    }
    blockedKeys.add(row.orderingKey);
    const error = unroutable.has(row.id) ? "no queue takes it" : "not confirmed in time";
    const counted = attributable && !blocked;
    const parked = counted && row.attempts + 1 >= o.maxAttempts;
    const delayMs = parked ? Number.POSITIVE_INFINITY : counted ? backoffMs(row.attempts) : 0;
    round.failures.push({ position: row.position, delayMs, counted, error });
    if (parked) round.parked.push({ id: row.id, type: row.type, error });
  }
  return round;
}

/** 250 ms, doubling up to a minute. */
function backoffMs(attempts: number): number {
  return Math.min(60_000, 250 * 2 ** Math.min(attempts, 16));
}
