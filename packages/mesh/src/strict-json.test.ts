import type { JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import type { ValidationError } from "./errors.ts";
import { assertExactNumbers, readJson } from "./strict-json.ts";

function violations(read: () => unknown) {
  try {
    read();
  } catch (error) {
    return (error as ValidationError).violations.map(
      ({ field, message }) => `${field}: ${message}`,
    );
  }
  return [];
}

const wholeNumber = "must be a whole number from -2147483648 to 2147483647";

test.each<[JsonValue, string[]]>([
  [{ userId: "u1", items: [{ productId: "mug", quantity: 2 }] }, []],
  [{ foo: 1, bar: 2 }, ["foo: is not a known field", "bar: is not a known field"]],
  [{ userId: 1 }, ["userId: must be a string"]],
  [{ items: {} }, ["items: must be a list"]],
  [{ items: [3] }, ["items[0]: must be an object"]],
  [
    { items: [{ quantity: 1 }, { quantity: 1.5, colour: "red" }] },
    [`items[1].quantity: ${wholeNumber}`, "items[1].colour: is not a known field"],
  ],
  [[], [": must be an object"]],
  [{ userId: "a", user_id: "b" }, [": two fields exclude each other, or one is set twice"]],
])("%j", (json, expected) => {
  expect(violations(() => readJson(PlaceOrderRequestSchema, json))).toEqual(expected);
});

test("values of types with a JSON of their own are explained", () => {
  const read = () => readJson(OrderSchema, { placedAt: "yesterday", status: "LOST" });
  expect(violations(read)).toEqual([
    'placedAt: must be a time such as "2030-01-31T12:00:00Z"',
    "status: must be one of STATUS_UNSPECIFIED, PENDING, CONFIRMED, SHIPPING, SHIPPED, REJECTED, CANCELLED",
  ]);
});

test.each<[JsonValue, string[]]>([
  [{ items: [{ quantity: 2 }] }, []],
  [{ items: [{ quantity: "2" }] }, ["items[0].quantity: must be a number, without quotes"]],
  [
    { items: [{ quantity: "2" }], foo: 1 },
    ["items[0].quantity: must be a number, without quotes", "foo: is not a known field"],
  ],
  ["text", [": the body must be an object"]],
])("exact numbers: %j", (json, expected) => {
  expect(violations(() => assertExactNumbers(PlaceOrderRequestSchema, json))).toEqual(expected);
});

test("a 64-bit number may be quoted, and has to be where a reader would round it", () => {
  const total = (minorUnits: JsonValue) => ({ total: { minorUnits } });
  expect(violations(() => assertExactNumbers(OrderSchema, total("9007199254740993")))).toEqual([]);
  expect(violations(() => assertExactNumbers(OrderSchema, total(2 ** 60)))).toEqual([
    "total.minorUnits: is too large for a number; write it as a string",
  ]);
});
