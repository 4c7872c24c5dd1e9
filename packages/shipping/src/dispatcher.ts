import { insertOutbox, outboxWritten } from "@smartcart/bus";
import type { Logger, Timer } from "@smartcart/runtime";
import { startTimer, withSpan } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { ShipmentLeft } from "./shipment.ts";
import { trackingNumberOf } from "./shipment.ts";
import { orderShippedEvent } from "./shipment-events.ts";
import { lockDue, markShipped, nextDueInMs } from "./store.ts";

const BATCH_SIZE = 500;
/** Longest pause: how late a shipment leaves that another process began and then died. Its own ones a process knows of. */
const LONGEST_MS = 5_000;

/** What the dispatcher works with. */
export interface DispatcherOptions {
  readonly database: Database;
  readonly log: Logger;
  /** Shortest pause between two looks at the table, in milliseconds: what becomes due meanwhile leaves in one transaction. */
  readonly pollMs: number;
  readonly now: () => Date;
  /** Called after each batch with how many shipments left. */
  readonly onShipped: (count: number) => void;
}

/**
 * Ships what is due, when it is due: `runWithin` tells of a shipment that has begun. The table is its only memory, so a restart goes on where the process before it ended, and any number of
 * dispatchers may work on one table.
 */
export function startDispatcher(o: DispatcherOptions): Timer {
  const timer = startTimer({
    name: "shipping.dispatcher",
    intervalMs: o.pollMs,
    longestMs: Math.max(o.pollMs, LONGEST_MS),
    log: o.log,
    async run(signal) {
      const dueInMs = await nextDueInMs(o.database);
      if (dueInMs > 0) return dueInMs;
      // A full batch means that there may be more.
      while ((await shipDue(o)) === BATCH_SIZE && !signal.aborted);
      return 0;
    },
  });
  timer.poke();
  return timer;
}

async function shipDue({ database, log, now, onShipped }: DispatcherOptions): Promise<number> {
  const left = await withTransaction(database, "shipping.dispatch", async (tx) => {
    const shippedAt = now();
    const due = await lockDue(tx, BATCH_SIZE);
    const shipped: ShipmentLeft[] = due.map((shipment) => ({
      ...shipment,
      shippedAt,
      trackingNumber: trackingNumberOf(shipment.orderId),
    }));
    if (shipped.length === 0) return shipped;
    await markShipped(tx, shipped);
    await insertOutbox(tx, shipped.map(orderShippedEvent));
    return shipped;
  });
  if (left.length > 0) outboxWritten(database);
  for (const { orderId, trackingNumber, traceparent } of left) {
    const span = {
      traceparent: traceparent || undefined,
      service: "shipping",
      attributes: { orderId },
    };
    withSpan("shipment.leave", span, () =>
      log.info("shipping.shipped", {
        orderId,
        trackingNumber,
        message: `Order ${orderId} has left with ${trackingNumber}`,
      }),
    );
  }
  if (left.length > 0) onShipped(left.length);
  return left.length;
}
