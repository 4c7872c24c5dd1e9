import type { Logger } from "@smartcart/runtime";
import { createPool, startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { PaymentProcessor } from "./payment-processor.ts";
import { leasePending, pendingDueInMs } from "./store.ts";

/** What is polled, and how often. */
export interface PendingPaymentPollerOptions {
  readonly database: Database;
  readonly processor: Pick<PaymentProcessor, "resume">;
  readonly log: Logger;
  /** How long a payment stays PENDING before the provider is asked, and between two requests about it, in milliseconds. */
  readonly afterMs: number;
}

/** Payments that one process asks about at once. */
const maxConcurrent = 100;
/** Bounds of the pause between two looks. A payment that is opened meanwhile is not due before `afterMs` has passed. */
const shortestMs = 1_000;
const longestMs = 5_000;

/**
 * Settles PENDING payments whose caller has not repeated the request: charges again with the same id, which the provider carries out at
 * most once. Rows are leased, so any number of processes may run one. A charge without an answer does not delay the others.
 */
export function startPendingPaymentPoller(o: PendingPaymentPollerOptions): AsyncDisposable {
  const { database, processor, log, afterMs } = o;
  const resources = new AsyncDisposableStack();
  const name = "payment.pending-payment-poller";
  const pool = resources.use(createPool({ name, maxConcurrent: maxConcurrent, log }));
  const run = async (signal: AbortSignal) => {
    const dueInMs = await pendingDueInMs(database, afterMs);
    if (dueInMs > 0) return dueInMs;
    await pool.fill({
      take: (limit) => leasePending(database, limit, afterMs),
      // What it comes to is in the row, and an outcome that stays unknown in the log.
      work: (payment) => processor.resume(payment).catch(() => {}),
      signal,
    });
    return 0;
  };
  const intervalMs = Math.min(afterMs, shortestMs);
  resources.use(
    startTimer({ name, intervalMs, longestMs: Math.min(afterMs, longestMs), log, run }),
  );
  return resources;
}
