import { expect, it } from "vitest";
import { eventTypeByRoutingKey, eventTypes, queueTypeOf } from "./event-types.ts";

it("reads queues with their ladders", () => {
  expect(queueTypeOf("orders")).toMatchObject({
    retryDelaysMs: [1_000, 10_000, 60_000],
    maxAttempts: 6,
    deadLetter: true,
  });
  expect(queueTypeOf("shipments").events.map((event) => event.desc.name)).toEqual([
    "OrderShippingStarted",
    "OrderShipped",
  ]);
});

it("knows an event by its routing key where that is unambiguous", () => {
  const all = [...eventTypes.values()];
  expect(eventTypeByRoutingKey("order.shipped", all)?.desc.name).toBe("OrderShipped");
  expect(eventTypeByRoutingKey("order.status.paid", all)?.desc.name).toBe("OrderStatusChanged");
  expect(eventTypeByRoutingKey("order.lost", all)).toBeUndefined();
});
