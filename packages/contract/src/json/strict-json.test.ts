import type { JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { ClientFrameSchema } from "@smartcart/gen/status/v1/frames_pb";
import { InvalidMessageError } from "./json-errors.ts";
import { readJson } from "./strict-json.ts";

function violations(read: () => unknown) {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidMessageError);
    return (error as InvalidMessageError).violations.map(
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
  [{ userId: "a", user_id: "b" }, ["user_id: is another spelling of userId; send one of the two"]],
  [
    { items: [{ product_id: "a", productId: null }] },
    ["items[0].productId: is another spelling of product_id; send one of the two"],
  ],
  [JSON.parse('{"__proto__":{"userId":"x"}}'), ["__proto__: is not a known field"]],
  [{ "a.b": 1, "": 2 }, ['["a.b"]: is not a known field', '[""]: is not a known field']],
])("%j", (json, expected) => {
  expect(violations(() => readJson(PlaceOrderRequestSchema, json))).toEqual(expected);
});

test("a list that is too long is told of once, and its items are not looked at", () => {
  const items = Array.from({ length: 50_000 }, () => 3);
  expect(violations(() => readJson(PlaceOrderRequestSchema, { items }))).toEqual([
    "items: must contain no more than 100 item(s)",
  ]);
});

test("two members of a oneof exclude each other", () => {
  const json = { subscribe: { orderId: "a", userId: "b" } };
  expect(violations(() => readJson(ClientFrameSchema, json))).toEqual([
    "subscribe.userId: cannot be combined with orderId; send one of them",
  ]);
});

test("values of types with a JSON of their own are explained", () => {
  const read = () => readJson(OrderSchema, { placedAt: "yesterday", status: "LOST" });
  expect(violations(read)).toEqual([
    'placedAt: must be a time such as "2030-01-31T12:00:00Z"',
    "status: must be one of STATUS_UNSPECIFIED, PENDING, CONFIRMED, SHIPPING, SHIPPED, REJECTED, CANCELLED",
  ]);
});
