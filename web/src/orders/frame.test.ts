import { expect, test } from "vitest";
import { parseFrame, subscribeFrame } from "./frame.ts";

test("a status", () => {
  const text =
    '{"orderId":"ORD-1","status":"Payment Confirmed","sequence":3,"occurredAt":"2025-11-22T21:00:00Z","service":"payment"}';
  expect(parseFrame(text)).toEqual({
    kind: "status",
    orderId: "ORD-1",
    entry: {
      sequence: 3,
      status: "Payment Confirmed",
      occurredAt: "2025-11-22T21:00:00Z",
      service: "payment",
      traceId: "",
    },
  });
});

test("a resync and an error", () => {
  expect(parseFrame('{"resync":{"orderId":"ORD-1","lastSequence":2,"reason":"later"}}')).toEqual({
    kind: "resync",
    orderId: "ORD-1",
    reason: "later",
  });
  expect(parseFrame('{"resync":{}}')).toMatchObject({ kind: "resync", orderId: "" });
  expect(parseFrame('{"error":{"code":"UNKNOWN_ORDER","message":"no"}}')).toEqual({
    kind: "error",
    code: "UNKNOWN_ORDER",
    message: "no",
  });
});

test.each(["", "{", "null", "7", "[]", "{}", '{"sequence":"1","status":"x"}', '{"newer":{}}'])(
  "%j is none that this page knows",
  (text) => {
    expect(parseFrame(text)).toEqual({ kind: "other" });
  },
);

test("a subscription says where to resume", () => {
  expect(JSON.parse(subscribeFrame("ORD-1", 4))).toEqual({
    subscribe: { orderId: "ORD-1", afterSequence: 4 },
  });
});
