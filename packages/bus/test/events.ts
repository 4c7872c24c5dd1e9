import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { LogsEmittedSchema } from "@smartcart/gen/events/v1/log_events_pb";
import {
  OrderPlacedSchema,
  OrderStatusChangedSchema,
  OrderStatusesChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { OutgoingEvent } from "../src/index.ts";
import { createEvent } from "../src/index.ts";

/** An order to ship. */
export function orderPlaced(
  orderId: string,
  id: string = randomUUID(),
  more: MessageInitShape<typeof OrderPlacedSchema> = {},
): OutgoingEvent {
  const message = create(OrderPlacedSchema, { orderId, userId: "u1", ...more });
  return createEvent(OrderPlacedSchema, message, { id });
}

/** An entry of an order's history, for the fan-out. */
export function statusChanged(
  orderId: string,
  sequence: number,
  more: MessageInitShape<typeof OrderStatusChangedSchema> = {},
): OutgoingEvent {
  const milestone = OrderMilestone.PAYMENT_CONFIRMED;
  const occurredAt = timestampNow();
  const message = create(OrderStatusChangedSchema, {
    ...{ orderId, sequence, milestone, occurredAt },
    ...more,
  });
  return createEvent(OrderStatusChangedSchema, message, { id: randomUUID() });
}

/** The same as it is published: with others in one message. */
export function statusesChanged(orderId: string, sequence: number): OutgoingEvent {
  const milestone = OrderMilestone.PAYMENT_CONFIRMED;
  const message = create(OrderStatusesChangedSchema, {
    changes: [{ orderId, sequence, milestone }],
  });
  return createEvent(OrderStatusesChangedSchema, message, {
    id: randomUUID(),
    orderingKey: orderId,
  });
}

/** A log line, for the queue without dead letters. */
export function logsEmitted(text: string): OutgoingEvent {
  const message = create(LogsEmittedSchema, { records: [{ message: text }] });
  return createEvent(LogsEmittedSchema, message, { id: randomUUID() });
}
