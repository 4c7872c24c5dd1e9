import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { PaymentDesk } from "./payment-desk.ts";
import { leasePending } from "./store.ts";

/** What the resolver works with. */
export interface ResolverOptions {
  readonly database: Database;
  readonly desk: Pick<PaymentDesk, "resume">;
  readonly log: Logger;
  /** How long a payment stays PENDING before the resolver asks, and between two of its questions, in milliseconds. */
  readonly afterMs: number;
}

/** Payments looked at in one go. */
const BATCH = 100;

/**
 * Finds out what became of payments whose caller has not come back: the provider is asked again with the same id, which charges at
 * most once. Rows are leased, so any number of processes may run one.
 */
export function startResolver(o: ResolverOptions): AsyncDisposable {
  return startTimer({
    name: "payment.resolver",
    intervalMs: Math.min(o.afterMs, 1000),
    log: o.log,
    async run(signal) {
      for (;;) {
        const pending = await leasePending(o.database, BATCH, o.afterMs);
        // What it comes to is in the row, and an outcome that stays unknown in the log.
        await Promise.allSettled(pending.map((payment) => o.desk.resume(payment)));
        if (pending.length < BATCH || signal.aborted) return;
      }
    },
  });
}
