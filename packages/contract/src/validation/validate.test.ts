import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { SearchLogsRequestSchema } from "@smartcart/gen/log/v1/log_service_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { measureOf } from "./message-size.ts";
import { validateMessage } from "./validate.ts";

const item = { productId: "mug", quantity: 1 };

test("what is too long is told by its path, and not looked into", () => {
  const measure = measureOf(PlaceOrderRequestSchema);
  const long = create(PlaceOrderRequestSchema, {
    userId: "u".repeat(65),
    items: [item, { ...item, productId: "\u{1F600}".repeat(65) }],
    address: "\u{1F600}".repeat(500),
  });
  expect(measure(long).violations.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    "userId: must be at most 64 characters",
    "items[1].productId: must be at most 64 characters",
  ]);
  const many = create(PlaceOrderRequestSchema, {
    items: Array.from({ length: 5000 }, () => ({ productId: "x".repeat(100) })),
  });
  expect(measure(many).violations).toMatchObject([
    { field: "items", message: "must contain no more than 100 item(s)" },
  ]);
  expect(measure(many).weight).toBeGreaterThanOrEqual(5000);
});

test.each([
  { seconds: 9_000_000_000_000_000n, nanos: 0 },
  { seconds: 253_402_300_800n, nanos: 0 },
  { seconds: -62_135_596_801n, nanos: 0 },
  { seconds: 0n, nanos: 1_000_000_000 },
  { seconds: 0n, nanos: -1 },
])("a time outside the calendar is rejected: %o", (since) => {
  const request = create(SearchLogsRequestSchema, { filter: { since } });
  expect(validateMessage(SearchLogsRequestSchema, request)).toMatchObject([
    { field: "filter.since", message: expect.stringMatching(/^must be /) },
  ]);
});
