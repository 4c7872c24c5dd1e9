import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { parseClientFrame } from "./client-frames.ts";
import { errorFrame, resyncFrame, statusFrame } from "./server-frames.ts";
import { statusLabel } from "./status-label.ts";

/** What follows the header. */
const textOf = (frame: Buffer) => frame.toString("utf8", frame.indexOf("{"));

test("a status is flat, with its number as a number and its name as people read it", () => {
  const frame = statusFrame({
    orderId: "ORD-1",
    sequence: 3,
    milestone: OrderMilestone.PAYMENT_CONFIRMED,
    occurredAt: timestampFromDate(new Date("2026-01-02T03:04:05.678Z")),
    service: "payment",
    traceId: "",
  });
  expect(textOf(frame.data)).toBe(
    '{"orderId":"ORD-1","status":"Payment Confirmed","sequence":3,"occurredAt":"2026-01-02T03:04:05.678Z","service":"payment"}',
  );
});

test("every milestone has the name that the contract gives it", () => {
  const names = Object.values(OrderMilestone).filter((value) => value !== 0);
  expect(names.map((value) => statusLabel(value))).toEqual([
    "Order Received",
    "Stock Reserved",
    "Payment Confirmed",
    "Order Confirmed",
    "Shipping Started",
    "Shipped",
    "Out of Stock",
    "Payment Declined",
    "Cancelled",
    "Refunded",
  ]);
});

test("errors and resyncs stand alone", () => {
  expect(JSON.parse(textOf(errorFrame("UNKNOWN_ORDER", "none", "subscribe.orderId")))).toEqual({
    error: { code: "UNKNOWN_ORDER", message: "none", field: "subscribe.orderId" },
  });
  expect(JSON.parse(textOf(resyncFrame("ORD-1", 2, "why")))).toEqual({
    resync: { orderId: "ORD-1", lastSequence: 2, reason: "why" },
  });
});

test("subscriptions are read as proto3 JSON", () => {
  expect(parseClientFrame('{"subscribe":{"orderId":"ORD-1","afterSequence":2}}')).toEqual({
    kind: "subscribe",
    target: { kind: "order", orderId: "ORD-1" },
    afterSequence: 2,
  });
  expect(parseClientFrame('{"unsubscribe":{"userId":"u1"}}')).toEqual({
    kind: "unsubscribe",
    target: { kind: "user", userId: "u1" },
    afterSequence: 0,
  });
});

test.each([
  ["not json", ""],
  ["[]", ""],
  ["null", ""],
  ["{}", ""],
  ['{"subscribe":{}}', "subscribe"],
  ['{"subscribe":{"orderId":""}}', "subscribe.orderId"],
  [`{"subscribe":{"orderId":"${"x".repeat(65)}"}}`, "subscribe.orderId"],
  ['{"subscribe":{"orderId":7}}', "orderId"],
  ['{"subscribe":{"orderId":"a","userId":"b"}}', ""],
  ['{"subscribe":{"orderId":"a","afterSequence":-1}}', "afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":"many"}}', "afterSequence"],
  ['{"subscribe":{"order":"a"}}', "order"],
  ['{"follow":{"orderId":"a"}}', "follow"],
])("%s is refused, naming the field", (text, field) => {
  expect(parseClientFrame(text)).toMatchObject({
    problem: expect.stringContaining("send {"),
    field,
  });
});
