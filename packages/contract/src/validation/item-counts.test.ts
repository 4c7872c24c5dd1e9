import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  BatchReserveRequestSchema as Batch,
  CheckAvailabilityRequestSchema as Check,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { assertItemCounts } from "./item-counts.ts";

const lines = (count: number) =>
  Array.from({ length: count }, () => ({ productId: "mug", quantity: 1 }));

test("a list may have as many items as its field says", () => {
  expect(() =>
    assertItemCounts(Check, toBinary(Check, create(Check, { lines: lines(100) }))),
  ).not.toThrow();
});

test("one more is rejected before anything is decoded, and the field is named", () => {
  const bytes = toBinary(Check, create(Check, { lines: lines(101) }));
  expect(() => assertItemCounts(Check, bytes)).toThrow(
    "lines: must contain no more than 100 item(s)",
  );
});

test("so is one within an item", () => {
  const requests = [{}, { reservationId: "r", lines: lines(101) }];
  const bytes = toBinary(Batch, create(Batch, { requests }));
  expect(() => assertItemCounts(Batch, bytes)).toThrow("requests[1].lines: must contain no more");
});

test.each([
  ["garbage", Buffer.from("ffffffffffff", "hex")],
  ["cut off", Buffer.from("0a0541", "hex")],
  ["JSON", Buffer.from(toJsonString(Check, create(Check, { lines: lines(200) })))],
  ["nothing", Buffer.alloc(0)],
])("%s is left to the decoder", (_, bytes) => {
  expect(() => assertItemCounts(Check, bytes)).not.toThrow();
});
