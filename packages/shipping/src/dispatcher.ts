import { insertOutbox } from "@smartcart/bus";
import type { Logger } from "@smartcart/runtime";
import { startTimer, withSpan } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { ShipmentLeft } from "./shipment.ts";
import { trackingNumberOf } from "./shipment.ts";
import { orderShippedEvent } from "./shipment-events.ts";
import { lockDue, markShipped } from "./store.ts";

const BATCH_SIZE = 500;

/** What the dispatcher works with. */
export interface DispatcherOptions {
  readonly database: Database;
  readonly log: Logger;
  /** Pause between looks at the table, in milliseconds. */
  readonly pollMs: number;
  readonly now: () => Date;
  /** Called after each batch with how many shipments left. */
  readonly onShipped: (count: number) => void;
}

/**
 * Ships what is due. The table is its only memory, so a restart goes on where the process before it ended, and any number of
 * dispatchers may work on one table.
 */
export function startDispatcher(o: DispatcherOptions): AsyncDisposable {
  const timer = startTimer({
    name: "shipping.dispatcher",
    intervalMs: o.pollMs,
    log: o.log,
    async run(signal) {
      // A full batch means that there may be more.
      while ((await shipDue(o)) === BATCH_SIZE && !signal.aborted);
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
