import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { OutgoingEvent } from "@smartcart/bus";
import { createEvent } from "@smartcart/bus";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import type { ShipmentLeft, ShipmentStart } from "./shipment.ts";

// The ids follow from the order, so that an event which is published twice is one event to its consumers.

/** Tells that a shipment has begun; at most once an order. */
export function shippingStartedEvent(
  start: Pick<ShipmentStart, "orderId" | "startedAt" | "traceparent">,
): OutgoingEvent {
  const { orderId, traceparent } = start;
  return createEvent(
    OrderShippingStartedSchema,
    create(OrderShippingStartedSchema, {
      orderId,
      startedAt: timestampFromDate(start.startedAt),
    }),
    { id: `${orderId}:shipping-started`, traceparent },
  );
}

/**
 * What is told when a shipment leaves. Of one that leaves at once both events go out together, so that the order service applies them in
 * one write.
 */
export function eventsOf(left: ShipmentLeft): OutgoingEvent[] {
  return left.atOnce
    ? [shippingStartedEvent(left), orderShippedEvent(left)]
    : [orderShippedEvent(left)];
}

function orderShippedEvent(left: ShipmentLeft): OutgoingEvent {
  const { orderId, traceparent, trackingNumber } = left;
  return createEvent(
    OrderShippedSchema,
    create(OrderShippedSchema, {
      orderId,
      trackingNumber,
      startedAt: timestampFromDate(left.startedAt),
      shippedAt: timestampFromDate(left.shippedAt),
    }),
    { id: `${orderId}:shipped`, traceparent },
  );
}
