/**
 * Asks shipping about orders whose shipment is overdue. Normally messages report them; this covers messages
 * that were lost for good, as with a deleted queue or a broker that lost its disk. Any number of replicas may poll.
 */
import type { Client } from "@connectrpc/connect";
import type { Shipment, ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { ShipmentStatus } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { Logger } from "@smartcart/runtime";
import { createPool, startTimer } from "@smartcart/runtime";
import { findShipment } from "./find-shipment.ts";
import type { ShipmentFact, StoredOrder } from "./order.ts";
import { applyShipmentFact } from "./order.ts";
import { eventsOf, orderPlaced } from "./order-view.ts";
import type { OrderRepository } from "./repository.ts";
import { readableDate } from "./times.ts";

interface OverdueShipmentPollerOptions {
  readonly repository: OrderRepository;
  readonly shipping: Pick<Client<typeof ShippingService>, "getShipment">;
  readonly log: Logger;
  /** How long an order may wait for news of its shipment, in milliseconds. The pause doubles with each time that shipping is asked. */
  readonly overdueMs: number;
  /** Shortest pause between two looks, in milliseconds. Default: a tenth of `overdueMs`; the longest one is five seconds. */
  readonly intervalMs?: number;
}

/** Orders that one process asks about at once. */
const maxConcurrent = 100;
const longestPauseMs = 5_000;

/** Polls for what is overdue, on a timer. */
export function startOverdueShipmentPoller(options: OverdueShipmentPollerOptions): AsyncDisposable {
  const { repository, log, overdueMs, intervalMs = overdueMs / 10 } = options;
  const resources = new AsyncDisposableStack();
  const name = "order.overdue-shipment-poller";
  const pool = resources.use(createPool({ name, maxConcurrent: maxConcurrent, log }));
  const run = async (signal: AbortSignal) => {
    const dueInMs = await repository.overdueInMs(overdueMs);
    if (dueInMs > 0) return dueInMs;
    await pool.fill({
      take: (limit) => repository.leaseOverdue(limit, overdueMs),
      work: (order) => askAboutShipment(order, options, signal),
      signal,
    });
    return 0;
  };
  const longestMs = Math.max(intervalMs, longestPauseMs);
  resources.use(startTimer({ name, intervalMs, longestMs, log, run }));
  return resources;
}

async function askAboutShipment(
  order: StoredOrder,
  { repository, shipping, log }: OverdueShipmentPollerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { orderId, state } = order;
  try {
    const shipment = await findShipment(shipping, orderId, signal);
    if (shipment === undefined) {
      // No shipment means that no copy of the message was ever handled: the same message again, by its own id.
      const repeated = await repository.announce(orderPlaced(order, ""));
      if (repeated) log.warn("order.placed_republished", { orderId, state });
      return;
    }
    const fact = factOf(shipment);
    if (fact === undefined) return;
    const transition = applyShipmentFact(order, fact);
    if (transition === undefined || transition === "impossible") return;
    const events = eventsOf(transition, "");
    const moved = await repository.advance({ transition, events, answer: undefined });
    if (moved)
      log.warn("order.shipment_recovered", { orderId, from: state, to: transition.to.state });
  } catch (error) {
    if (!signal.aborted) log.warn("order.shipment_poll_failed", { orderId, state, error });
  }
}

/**
 * Undefined for a shipment that was stopped: the order is being cancelled, which the saga sees to. For one whose message failed: it is
 * retried, or a dead letter that waits for a person, and a copy of it would only fail as well. And for one whose times cannot be
 * kept: the order goes on waiting, which doctor shows.
 */
function factOf({ status, startedAt, shippedAt }: Shipment): ShipmentFact | undefined {
  const started = startedAt && readableDate(startedAt);
  const left = shippedAt && readableDate(shippedAt);
  if (status === ShipmentStatus.SHIPPED && left !== undefined) {
    return { kind: "shipped", startedAt: started ?? left, shippedAt: left };
  }
  if (status === ShipmentStatus.STARTED && started !== undefined) {
    return { kind: "started", startedAt: started };
  }
  return undefined;
}
