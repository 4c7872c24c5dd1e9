/** The order in the words of the contract: the resource, its history, and the events it publishes. */
import { create } from "@bufbuild/protobuf";
import type { OutgoingEvent } from "@smartcart/bus";
import { createEvent } from "@smartcart/bus";
import { milestoneLabel } from "@smartcart/contract";
import {
  OrderPlacedSchema,
  OrderStatusesChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import type { OrderSummary } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { OrderSummarySchema } from "@smartcart/gen/order/v1/order_admin_service_pb";
import type { Order, OrderEvent } from "@smartcart/gen/order/v1/order_pb";
import { Order_Status, OrderEventSchema, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import type { HistoryEntry, StoredOrder, Transition } from "./order.ts";
import { firstEntry } from "./order.ts";
import { publicStatus } from "./order-state.ts";
import type { InspectedOrder } from "./store/search-orders.ts";
import { toTimestamp } from "./times.ts";

/** The order resource. Deterministic: the same order gives the same message, and so the same bytes. */
export function orderView(order: StoredOrder): Order {
  const money = (minorUnits: bigint) => ({ currencyCode: order.currencyCode, minorUnits });
  const rejection = order.rejection;
  return create(OrderSchema, {
    orderId: order.orderId,
    status: publicStatus(order.state),
    userId: order.userId,
    items: order.items.map((item) => ({
      productId: item.productId,
      name: item.name,
      quantity: item.quantity,
      unitPrice: money(item.unitPriceMinor),
    })),
    total: money(order.totalMinor),
    address: order.address,
    placedAt: toTimestamp(order.placedAt),
    lastSequence: order.lastSequence,
    traceId: order.traceId,
    ...(rejection && { rejection: { ...rejection, lines: [...rejection.lines] } }),
  });
}

/** The order as operators see it. */
export function orderSummaryView({ order, refusal, updatedAt }: InspectedOrder): OrderSummary {
  return create(OrderSummarySchema, {
    order: orderView(order),
    state: order.state,
    refusal,
    updatedAt: toTimestamp(updatedAt),
  });
}

export function orderEventView(entry: HistoryEntry): OrderEvent {
  const { occurredAt, ...rest } = entry;
  return create(OrderEventSchema, {
    ...rest,
    status: milestoneLabel(entry.milestone),
    occurredAt: toTimestamp(occurredAt),
  });
}

/**
 * What a transition publishes: its new entries in one `OrderStatusesChanged`, and `OrderPlaced` once the order is confirmed. The
 * first entry of a history is stored without an event; it goes out with the next ones.
 */
export function eventsOf(transition: Transition, traceparent: string): OutgoingEvent[] {
  const { from, to, history } = transition;
  const entries = from.state === "RECEIVED" ? [firstEntry(from), ...history] : history;
  const events = entries.length > 0 ? [statusesChanged(to, entries, traceparent)] : [];
  if (to.state === "CONFIRMED" && publicStatus(from.state) === Order_Status.PENDING) {
    events.push(orderPlaced(to, traceparent));
  }
  return events;
}

/** The event of some entries of an order's history. Its id is made of order and sequence: the same entries are always the same message. */
export function statusesChanged(
  order: StoredOrder,
  entries: readonly HistoryEntry[],
  traceparent: string,
): OutgoingEvent {
  const changes = entries.map(({ occurredAt, ...entry }) => ({
    ...entry,
    userId: order.userId,
    occurredAt: toTimestamp(occurredAt),
  }));
  return createEvent(OrderStatusesChangedSchema, create(OrderStatusesChangedSchema, { changes }), {
    id: `${order.orderId}:status:${entries.at(-1)?.sequence}`,
    orderingKey: order.orderId,
    traceparent,
  });
}

/** Orders the shipment. Its id is the order's: however often it is published, it is the same message. */
export function orderPlaced(order: StoredOrder, traceparent: string): OutgoingEvent {
  const { items, total, address, placedAt } = orderView(order);
  const message = create(OrderPlacedSchema, {
    orderId: order.orderId,
    userId: order.userId,
    items,
    address,
    ...(total && { total }),
    ...(placedAt && { placedAt }),
  });
  return createEvent(OrderPlacedSchema, message, { id: `${order.orderId}:placed`, traceparent });
}
