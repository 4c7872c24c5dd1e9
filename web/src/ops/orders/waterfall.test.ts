import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { OrderStorySchema } from "@smartcart/gen/ops/v1/order_story_pb";
import { waterfallOf } from "./waterfall.ts";

const at = (ms: number) => timestampFromMs(1_000_000 + ms);

test("events, lines and dead letters are one list in time, with bars within the whole", () => {
  const rows = waterfallOf(
    create(OrderStorySchema, {
      events: [
        { status: "Order Received", service: "order", occurredAt: at(0) },
        { status: "Stock Reserved", service: "inventory", occurredAt: at(40) },
      ],
      records: [
        {
          event: "inventory.held",
          service: "inventory",
          occurredAt: at(30),
          attributes: { durationMs: 20 },
        },
        { event: "operator.called", service: "order", occurredAt: at(100) },
      ],
      deadLetters: [{ queue: "orders", reason: "no such street", attempts: 4, failedAt: at(80) }],
    }),
  );
  expect(rows.map(({ kind, name }) => [kind, name])).toEqual([
    ["status", "Order Received"],
    ["log", "inventory.held"],
    ["status", "Stock Reserved"],
    ["dead letter", "given up after 4 attempts"],
    ["operator", "operator.called"],
  ]);
  expect(rows[1]).toMatchObject({ startPercent: 10, widthPercent: 20 });
  expect(rows[2]).toMatchObject({ startPercent: 0, widthPercent: 40 });
  for (const { startPercent, widthPercent } of rows) {
    expect(startPercent).toBeGreaterThanOrEqual(0);
    expect(startPercent + widthPercent).toBeLessThanOrEqual(100);
  }
});

test("a story without anything has no rows", () => {
  expect(waterfallOf(create(OrderStorySchema))).toEqual([]);
});
