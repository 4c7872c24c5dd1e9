import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ProductSchema } from "@smartcart/gen/inventory/v1/product_pb";
import { basketTotal, hasMixedCurrencies } from "./basket-total.ts";

const prices = {
  find(productId: string) {
    const minorUnits = new Map([
      ["mug", 1_800n],
      ["castle", 9_007_199_254_740_993n],
    ]).get(productId);
    if (minorUnits === undefined) return undefined;
    return create(ProductSchema, { productId, price: { currencyCode: "USD", minorUnits } });
  },
};

test("is the sum over the lines, beyond what a double can count", () => {
  const lines = [
    { productId: "mug", quantity: 2 },
    { productId: "castle", quantity: 1 },
  ];
  expect(basketTotal(prices, lines)).toEqual({
    currencyCode: "USD",
    minorUnits: 9_007_199_254_744_593n,
  });
});

test("is not guessed while a price is not known", () => {
  expect(basketTotal(prices, [{ productId: "unheard-of", quantity: 1 }])).toBeUndefined();
  expect(basketTotal(prices, [])).toBeUndefined();
});

test("lines in two currencies have no sum, and are told apart from a price that is not known", () => {
  const mixed = {
    find: (productId: string) =>
      productId === "fondue"
        ? create(ProductSchema, { productId, price: { currencyCode: "CHF", minorUnits: 2_400n } })
        : prices.find(productId),
  };
  const lines = ["mug", "fondue"].map((productId) => ({ productId, quantity: 1 }));
  expect(basketTotal(mixed, lines)).toBeUndefined();
  expect(hasMixedCurrencies(mixed, lines)).toBe(true);
  expect(hasMixedCurrencies(mixed, [{ productId: "mug", quantity: 1 }])).toBe(false);
});
