import { expect, test } from "vitest";
import {
  beginShipment,
  failsInSimulation,
  invalidReason,
  startMessage,
  trackingNumberOf,
} from "./shipment.ts";

test("a shipment leaves after its delay", () => {
  const now = new Date("2026-01-02T03:04:05.678Z");
  const order = { orderId: "ORD-1", traceparent: "" };
  expect(beginShipment(order, now, 1500)).toEqual({
    ...order,
    startedAt: now,
    dueAt: new Date("2026-01-02T03:04:07.178Z"),
  });
});

test("the start is told word for word", () => {
  expect(startMessage("ORD-123")).toBe("Shipping started for OrderId: ORD-123");
});

test("an order has one tracking number, and another order another one", () => {
  expect(trackingNumberOf("ORD-1")).toMatch(/^SC[0-9A-F]{12}$/);
  expect(trackingNumberOf("ORD-1")).toBe(trackingNumberOf("ORD-1"));
  expect(trackingNumberOf("ORD-1")).not.toBe(trackingNumberOf("ORD-2"));
});

test("the simulation fails at the rate it is given, and the same way each time", () => {
  const orders = Array.from({ length: 2000 }, (_, index) => `ORD-${index}`);
  const failed = (rate: number, attempt: number) =>
    orders.filter((orderId) => failsInSimulation(orderId, attempt, rate));
  expect(failed(0, 1)).toEqual([]);
  expect(failed(1, 1)).toEqual(orders);
  expect(failed(0.3, 1).length / orders.length).toBeCloseTo(0.3, 1);
  expect(failed(0.3, 1)).toEqual(failed(0.3, 1));
  // Another attempt is another throw of the dice.
  expect(failed(0.3, 2)).not.toEqual(failed(0.3, 1));
});

test.each([
  ["ORD-01ARZ3NDEKTSV4RRFFQ69G5FAV", undefined],
  ["", "the order id is empty"],
  ["x".repeat(65), "the order id is longer than 64 characters"],
  ["a\0b", "the order id contains a NUL character"],
])("the order id %j: %s", (orderId, flaw) => {
  expect(invalidReason(orderId)).toBe(flaw);
});
