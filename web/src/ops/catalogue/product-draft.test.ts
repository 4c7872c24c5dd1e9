import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ProductSchema } from "@smartcart/gen/inventory/v1/product_pb";
import { amountText, parseAmount } from "./amount.ts";
import {
  conflictsOf,
  draftOf,
  editOf,
  fieldOfComplaint,
  keepMine,
  problemsOf,
} from "./product-draft.ts";

const price = { currencyCode: "USD", minorUnits: 1450n };
const base = draftOf(create(ProductSchema, { name: "Mug", category: "Kitchen", price }));

test.each([
  ["14.50", "USD", 1450n],
  ["14", "USD", 1400n],
  ["1450", "JPY", 1450n],
  ["14.5", "JPY", undefined],
  ["14.505", "USD", undefined],
  ["-1", "USD", undefined],
  ["14,50", "USD", undefined],
])("%s %s", (text, currency, minor) => {
  expect(parseAmount(text, currency)).toBe(minor);
  if (minor !== undefined) expect(parseAmount(amountText(minor, currency), currency)).toBe(minor);
});

test("an edit names what changed, and price and currency together", () => {
  expect(editOf(base, base)).toEqual({});
  expect(editOf(base, { ...base, name: "Cup" })).toEqual({ name: "Cup" });
  expect(editOf(base, { ...base, currency: "EUR" })).toEqual({
    price: { currencyCode: "EUR", minorUnits: 1450n },
  });
});

test("fields that cannot be sent are named", () => {
  expect(Object.keys(problemsOf({ ...base, name: " ", price: "free" }))).toEqual(["name", "price"]);
  expect(problemsOf(base)).toEqual({});
});

test("my edit on top of another's keeps what they changed and I did not", () => {
  const mine = { ...base, name: "Cup", price: "15.00" };
  const theirs = { ...base, price: "16.00", category: "Bar" };
  expect(keepMine(base, mine, theirs)).toEqual({ ...mine, category: "Bar" });
  expect(conflictsOf(base, mine, theirs)).toEqual([
    { field: "category", before: "Kitchen", theirs: "Bar", mine: undefined },
    { field: "price", before: "14.50", theirs: "16.00", mine: "15.00" },
  ]);
});

test.each([
  ["price.currencyCode: is no currency", ["currency", "is no currency"]],
  ["pictureUrl: must be HTTPS", ["pictureUrl", "must be HTTPS"]],
  ["Product changed: reload", ["", "Product changed: reload"]],
])("%s", (complaint, expected) => {
  expect(fieldOfComplaint(complaint)).toEqual(expected);
});
