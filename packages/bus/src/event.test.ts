import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  OrderPlacedSchema,
  OrderStatusChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { OrderItemSchema } from "@smartcart/gen/order/v1/order_pb";
import { createEvent } from "./event.ts";

describe("createEvent", () => {
  it("takes routing key and ordering key from the contract", () => {
    const event = createEvent(OrderPlacedSchema, create(OrderPlacedSchema, { orderId: "ORD-1" }), {
      id: "m1",
    });
    expect(event).toMatchObject({
      id: "m1",
      type: "smartcart.events.v1.OrderPlaced",
      routingKey: "order.placed",
      orderingKey: "ORD-1",
      traceparent: "",
    });
  });

  it("puts an enum into the routing key in lower case, without its prefix", () => {
    const milestone = OrderMilestone.PAYMENT_CONFIRMED;
    const message = create(OrderStatusChangedSchema, { orderId: "ORD-1", milestone });
    const event = createEvent(OrderStatusChangedSchema, message, { id: "m1" });
    expect(event.routingKey).toBe("order.status.payment_confirmed");
  });

  it("rejects a message that is not an event", () => {
    const message = create(OrderItemSchema);
    expect(() => createEvent(OrderItemSchema, message, { id: "m1" })).toThrow(/is no event/);
  });
});
