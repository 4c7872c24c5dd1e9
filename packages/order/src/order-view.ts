/** The order in the words of the contract: the resource, its history, and the events it publishes. */
import { create, getOption } from "@bufbuild/protobuf";
import type { OutgoingEvent } from "@smartcart/bus";
import { createEvent } from "@smartcart/bus";
import {
  OrderPlacedSchema,
  OrderStatusChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { label } from "@smartcart/gen/mesh/v1/options_pb";
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Order, OrderEvent } from "@smartcart/gen/order/v1/order_pb";
import { OrderEventSchema, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import type { HistoryEntry, StoredOrder, Transition } from "./order.ts";
import { publicStatus } from "./order-state.ts";
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

export function orderEventView(entry: HistoryEntry): OrderEvent {
  const { occurredAt, ...rest } = entry;
  return create(OrderEventSchema, {
    ...rest,
    status: milestoneLabel(entry.milestone),
    occurredAt: toTimestamp(occurredAt),
  });
}

/** The status name as people read it. It stands in the contract, beside the milestone. */
function milestoneLabel(milestone: OrderMilestone): string {
  const value = OrderMilestoneSchema.value[milestone];
  if (value === undefined) throw new Error(`the contract has no order milestone ${milestone}`);
  return getOption(value, label);
}

/** What a transition publishes: an `OrderStatusChanged` an entry, and `OrderPlaced` once the order is confirmed. */
export function eventsOf(transition: Transition, traceparent: string): OutgoingEvent[] {
  const events = transition.history.map((entry) =>
    statusChanged(transition.to, entry, traceparent),
  );
  if (transition.from.state === "PAID" && transition.to.state === "CONFIRMED") {
    events.push(orderPlaced(transition.to, traceparent));
  }
  return events;
}

/** The event of one entry of the history. Its id is made of order and sequence: the same entry is always the same message. */
export function statusChanged(
  order: StoredOrder,
  entry: HistoryEntry,
  traceparent: string,
): OutgoingEvent {
  const { occurredAt, ...rest } = entry;
  const message = create(OrderStatusChangedSchema, {
    ...rest,
    userId: order.userId,
    occurredAt: toTimestamp(occurredAt),
  });
  return createEvent(OrderStatusChangedSchema, message, {
    id: `${order.orderId}:status:${entry.sequence}`,
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
