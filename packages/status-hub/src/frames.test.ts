import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { parseClientFrame } from "./client-frames.ts";
import { errorFrame, resyncFrame, statusFrame } from "./server-frames.ts";

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
  ["", ""],
  ["[]", ""],
  ["null", ""],
  ["{}", ""],
  ['{"subscribe":null}', ""],
  ['{"subscribe":{}}', "subscribe"],
  ['{"subscribe":[]}', "subscribe"],
  ['{"subscribe":{"orderId":""}}', "subscribe.orderId"],
  [`{"subscribe":{"orderId":"${"x".repeat(65)}"}}`, "subscribe.orderId"],
  ['{"subscribe":{"orderId":7}}', "subscribe.orderId"],
  ['{"subscribe":{"orderId":"a","userId":"b"}}', "subscribe.userId"],
  ['{"subscribe":{"orderId":"a","afterSequence":-1}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":"many"}}', "subscribe.afterSequence"],
  ['{"subscribe":{"order":"a"}}', "subscribe.order"],
  ['{"follow":{"orderId":"a"}}', "follow"],
  // What JSON.parse and Number take without a word.
  ['{"subscribe":{"orderId":"a","orderId":"b"}}', "subscribe.orderId"],
  ['{"subscribe":{"orderId":"a"},"subscribe":{"orderId":"a"}}', "subscribe"],
  ['{"subscribe":{"orderId":"a","order_id":"b"}}', "subscribe.order_id"],
  ['{"subscribe":{"orderId":"a","order\\u0049d":"b"}}', "subscribe.orderId"],
  ['{"subscribe":{"orderId":"a","afterSequence":"0x10"}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":" 1"}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":""}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":1.5}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":4294967296}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":1e400}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":9007199254740993}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","afterSequence":"NaN"}}', "subscribe.afterSequence"],
  ['{"subscribe":{"orderId":"a","__proto__":1}}', "subscribe.__proto__"],
  ['{"__proto__":{"subscribe":{"orderId":"a"}}}', "__proto__"],
  ['{"subscribe":{"orderId":"a"},"constructor":{}}', "constructor"],
  // Half of a character: neither UTF-8 nor PostgreSQL can hold it.
  ['{"subscribe":{"orderId":"\\ud800"}}', "subscribe.orderId"],
  ['{"subscribe":{"userId":"\\udc00x"}}', "subscribe.userId"],
  ['{"subscribe":{"userId":"\\u0000"}}', "subscribe.userId"],
  ["[".repeat(4000), ""],
  [`${'{"subscribe":'.repeat(300)}1${"}".repeat(300)}`, "subscribe"],
])("%s is refused, naming the field", (text, field) => {
  expect(parseClientFrame(text)).toMatchObject({
    problem: expect.stringContaining("send {"),
    field,
  });
});

test.each([
  ["0", 0],
  ["1e3", 1000],
  ["2.0", 2],
  ['"7"', 7],
  ["4294967295", 4_294_967_295],
  ["null", 0],
])("afterSequence %s is read", (text, afterSequence) => {
  const frame = `{"subscribe":{"orderId":"a","afterSequence":${text}}}`;
  expect(parseClientFrame(frame)).toMatchObject({ afterSequence });
});
