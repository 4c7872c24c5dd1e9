import type { EventBus } from "@smartcart/bus";
import type { Logger, Timer } from "@smartcart/runtime";
import { startTimer, withSpan } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { ShipmentLeft } from "./shipment.ts";
import { trackingNumberOf } from "./shipment.ts";
import { eventsOf } from "./shipment-events.ts";
import { lockDue, markShipped, nextDueInMs } from "./store.ts";

const batchSize = 500;
/** Longest time that the rows of a batch stay locked for the confirms of its events, in milliseconds. */
const publishTimeoutMs = 2_000;
/** Longest pause: how late a shipment leaves that another process began and then died. Its own ones a process knows of. */
const longestMs = 5_000;

/** What the dispatcher works with. */
export interface DispatcherOptions {
  readonly bus: EventBus;
  readonly database: Database;
  readonly log: Logger;
  /** Shortest pause between two looks at the table, in milliseconds: what becomes due meanwhile leaves in one transaction. */
  readonly pollMs: number;
  readonly now: () => Date;
  /** Called after each batch with how many shipments left. */
  readonly onShipped: (count: number) => void;
}

/**
 * Ships each shipment when it is due. Call `runWithin` after a shipment has begun. All state is in the table, so a restart continues
 * where the last process ended, and any number of dispatchers may work on one table.
 *
 * A row is marked once the queue has confirmed its event, under the lock under which it was read. A process that dies before that
 * leaves a row that is due, and the event is published again under the same id. The event may go out before the commit, because a
 * started shipment has one possible outcome: it is shipped.
 */
export function startDispatcher(o: DispatcherOptions): Timer {
  const timer = startTimer({
    name: "shipping.dispatcher",
    intervalMs: o.pollMs,
    longestMs: Math.max(o.pollMs, longestMs),
    log: o.log,
    async run(signal) {
      const dueInMs = await nextDueInMs(o.database);
      if (dueInMs > 0) return dueInMs;
      // A full batch means that there may be more.
      while ((await shipDue(o)) === batchSize && !signal.aborted);
      return 0;
    },
  });
  timer.poke();
  return timer;
}

async function shipDue({ bus, database, log, now, onShipped }: DispatcherOptions): Promise<number> {
  const left = await withTransaction(database, "shipping.dispatch", async (tx) => {
    const shippedAt = now();
    const due = await lockDue(tx, batchSize);
    if (due.length === 0) return [];
    const leaving = due.map(
      (shipment): ShipmentLeft => ({
        ...shipment,
        shippedAt,
        trackingNumber: trackingNumberOf(shipment.orderId),
      }),
    );
    const { confirmed } = await bus.publish(leaving.flatMap(eventsOf), {
      timeoutMs: publishTimeoutMs,
    });
    const told = new Set(confirmed);
    const shipped = leaving.filter((left) => eventsOf(left).every(({ id }) => told.has(id)));
    if (shipped.length < due.length) {
      log.warn("shipping.not_confirmed", { parcels: due.length - shipped.length });
    }
    if (shipped.length > 0) await markShipped(tx, shipped);
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
