import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";
import { passagesOf } from "./passages.ts";

test("passages are told from a position on, oldest first", () => {
  const passages = passagesOf(createMetrics("test"));
  passages.note("ORD-1", "client", "order", false);
  const position = passages.position();
  passages.note("ORD-2", "order", "payment", true);
  passages.note("ORD-3", "order", "queue", false);
  expect(passages.since(position)).toMatchObject([
    { orderId: "ORD-2", from: "order", to: "payment", failed: true },
    { orderId: "ORD-3", from: "order", to: "queue", failed: false },
  ]);
  expect(passages.since(passages.position())).toEqual([]);
});

test("of too many the latest are told", () => {
  const passages = passagesOf(createMetrics("test"));
  for (let i = 1; i <= 120; i++) passages.note(`ORD-${i}`, "client", "order", false);
  const ids = passages.since(0).map(({ orderId }) => orderId);
  expect(ids).toHaveLength(50);
  expect([ids[0], ids.at(-1)]).toEqual(["ORD-71", "ORD-120"]);
});

test("those who count in one registry share its passages", () => {
  const registry = createMetrics("test");
  passagesOf(registry).note("ORD-1", "client", "order", false);
  expect(passagesOf(registry).position()).toBe(1);
  expect(passagesOf(createMetrics("other")).position()).toBe(0);
});
