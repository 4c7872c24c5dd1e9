/** The quick check of requests agrees with protovalidate wherever it says yes, and says yes to ordinary requests. */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { create, ScalarType } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { OrderService, PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { propertyOptions } from "@smartcart/testkit";
import { predefinedRules } from "../fields/string-rules.ts";
import { quickCheckOf } from "./quick-check.ts";

const requests = [InventoryService, OrderService, PaymentService, ShippingService]
  .flatMap(({ methods }) => methods)
  .filter(({ methodKind }) => methodKind === "unary")
  .map(({ input }) => input);

describe("the quick check of a request", () => {
  it.each(requests)("exists for $name, and accepts nothing that the contract rejects", (desc) => {
    const quick = quickCheckOf(desc);
    if (quick === undefined) throw new Error(`${desc.typeName} has a rule that it does not know`);
    const validator = createValidator({ registry: predefinedRules });
    fc.assert(
      fc.property(messages(desc), (message) => {
        if (quick(message)) expect(validator.validate(desc, message).kind).toBe("valid");
      }),
      propertyOptions({ numRuns: 300 }),
    );
  });

  const line = { productId: "espresso-beans", quantity: 1 };
  const order = {
    userId: "u1",
    items: [line, { productId: "tea", quantity: 2 }],
    address: "Main St",
  };

  it.each<[string, object, boolean]>([
    ["an ordinary order", {}, true],
    ["no line", { items: [] }, false],
    ["the same product twice", { items: [line, line] }, false],
    ["nothing of a product", { items: [{ ...line, quantity: 0 }] }, false],
    ["an address with a NUL", { address: "\0" }, false],
    ["half of a character", { address: "\ud800" }, false],
    ["a user without a name", { userId: "" }, false],
  ])("of %s", (_, change, expected) => {
    const request = create(PlaceOrderRequestSchema, { ...order, ...change });
    expect(quickCheckOf(PlaceOrderRequestSchema)?.(request)).toBe(expected);
  });
});

function messages(desc: DescMessage): fc.Arbitrary<Message> {
  const fields = desc.fields.map((field) => [field.localName, values(field)] as const);
  return fc
    .record(Object.fromEntries(fields), { requiredKeys: [] })
    .map((init) => create(desc, init as never));
}

function values(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") {
    return fc.oneof(
      { weight: 9, arbitrary: fc.array(one(field), { minLength: 0, maxLength: 3 }) },
      {
        weight: 1,
        arbitrary: fc.constant(Array(600).fill(field.message ? create(field.message) : "a")),
      },
    );
  }
  return one(field);
}

function one(field: DescField): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return messages(field.message);
  const around = fc.constantFrom(-1, 0, 1, 199, 200, 201, 1_000, 1_001, 86_400_001, 2_147_483_647);
  switch (field.scalar) {
    case ScalarType.STRING:
      return fc.oneof(
        { weight: 6, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }) },
        fc.constantFrom(
          "",
          "USD",
          "usd",
          "\0",
          "\x7f",
          "\n",
          "\ud800",
          "😀".repeat(33),
          "a".repeat(501),
        ),
      );
    case ScalarType.INT64:
      return around.map(BigInt);
    case ScalarType.UINT32:
      return around.map(Math.abs);
    case ScalarType.BOOL:
      return fc.boolean();
    default:
      return around;
  }
}
