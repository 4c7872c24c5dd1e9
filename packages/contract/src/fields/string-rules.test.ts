/** Predefined rules for strings: protovalidate, the compiled check and JSON Schema see the same bounds. */
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import {
  GetOrderRequestSchema,
  PlaceOrderRequestSchema,
} from "@smartcart/gen/order/v1/order_service_pb";
import { createSchemaRegistry } from "../json-schema/json-schema.ts";
import { quickCheckOf } from "../validation/quick-check.ts";
import { validateMessage } from "../validation/validate.ts";

const { ofField } = createSchemaRegistry({ closed: true });

const controlFree = "^[^\\x00-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$";

test("JSON Schema states the bounds of each predefined rule", () => {
  const { userId, paymentToken, address } = PlaceOrderRequestSchema.field;
  expect(ofField(userId)).toMatchObject({
    type: "string",
    minLength: 1,
    maxLength: 64,
    pattern: controlFree,
  });
  expect(ofField(paymentToken)).toMatchObject({
    type: "string",
    maxLength: 64,
    pattern: controlFree,
  });
  expect(ofField(address)).toMatchObject({
    type: "string",
    minLength: 1,
    maxLength: 500,
    pattern: "^[^\\x00]*$",
  });
});

test.each([
  ["", ["string.min_len: must be at least 1 character"]],
  ["a".repeat(64), []],
  ["\u{1F600}".repeat(64), []],
  ["\u{1F600}".repeat(65), ["string.max_len: must be at most 64 characters"]],
  ["a\nb", ["string.pattern: must not contain control or direction characters"]],
  ["a\u0085b", ["string.pattern: must not contain control or direction characters"]],
  ["a\u202eb", ["string.pattern: must not contain control or direction characters"]],
  ["a\u2028b", ["string.pattern: must not contain control or direction characters"]],
  ["\u0646\u200c\u0645 \ud83d\udc69\u200d\ud83d\udd2c", []],
  ["a\x7f", ["string.pattern: must not contain control or direction characters"]],
])("an id is held against its rule: %j", (orderId, expected) => {
  const request = create(GetOrderRequestSchema, { orderId });
  const found = validateMessage(GetOrderRequestSchema, request);
  expect(found.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual(expected);
  expect(found.every(({ field }) => field === "orderId")).toBe(true);
});

test("an optional id may be empty, and an ordinary message needs no protovalidate", () => {
  const event = create(OrderPlacedSchema, { orderId: "ORD-1", address: "1 Main St\nBerlin" });
  expect(quickCheckOf(OrderPlacedSchema)?.(event)).toBe(true);
  expect(quickCheckOf(OrderPlacedSchema)?.({ ...event, userId: "a\nb" } as never)).toBe(false);
});

test("free text allows a line break and rejects U+0000", () => {
  const event = create(OrderPlacedSchema, { orderId: "ORD-1", address: "a\0b" });
  expect(validateMessage(OrderPlacedSchema, event)).toMatchObject([
    { field: "address", message: "must not contain the character U+0000" },
  ]);
});
