import { expect, test } from "vitest";
import { orderIdOf } from "./order-book.ts";
import { createWatch, historyLength } from "./watch.ts";

const status = (order: number, sequence: number) => ({
  orderId: orderIdOf(order),
  sequence,
  occurredAt: "",
});

test("what is right is counted, and what is not as a fault", () => {
  const watch = createWatch(10);
  expect(watch.take(3, status(3, 1))).toBe(true);
  expect(watch.take(3, status(13, 1))).toBe(true);
  expect(watch.take(3, status(13, 3))).toBe(false);
  expect(watch.take(3, status(13, 1))).toBe(false);
  expect(watch.take(3, status(14, 1))).toBe(false);
  expect(watch.take(3, { orderId: "other", sequence: 1, occurredAt: "" })).toBe(false);
  expect(watch.take(3, status(13, 2))).toBe(true);
  expect(watch.faults).toEqual({ misdelivered: 2, disordered: 2 });
  expect(watch.statuses).toBe(3);
  expect(watch.statusesOf(3)).toBe(3);
  watch.restart(3);
  expect(watch.take(3, status(13, 1))).toBe(true);
  expect(watch.statusesOf(3)).toBe(1);
  expect(watch.statuses).toBe(4);
});

test("a subscription brings the newest twenty orders", () => {
  expect(historyLength(0, 10, 10)).toBe(6);
  expect(historyLength(4, 10, 15)).toBe(12);
  expect(historyLength(5, 10, 15)).toBe(6);
  expect(historyLength(0, 10, 1_000)).toBe(120);
});
