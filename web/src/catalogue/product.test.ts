import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ProductSchema } from "@smartcart/gen/inventory/v1/product_pb";
import { mergeProducts, productsByCategory, stockNote } from "./product.ts";

const product = (productId: string, available: number, version: bigint, category = "Kitchen") =>
  create(ProductSchema, { productId, available, version, category });

describe("mergeProducts", () => {
  test("takes the newer snapshot", () => {
    const known = [product("mug", 5, 1n), product("pen", 9, 4n)];
    const merged = mergeProducts(new Map(known.map((one) => [one.productId, one])), [
      product("mug", 4, 2n),
      product("pen", 10, 3n),
      product("lamp", 1, 1n),
    ]);
    expect([...merged.values()].map(({ productId, available }) => [productId, available])).toEqual([
      ["mug", 4],
      ["pen", 9],
      ["lamp", 1],
    ]);
  });
});

test("categories come in the order of the catalogue", () => {
  const categories = productsByCategory([
    product("mug", 1, 1n, "Kitchen"),
    product("pen", 1, 1n, "Console"),
    product("knife", 1, 1n, "Kitchen"),
  ]);
  expect([...categories].map(([category, inIt]) => [category, inIt.length])).toEqual([
    ["Kitchen", 2],
    ["Console", 1],
  ]);
});

test("what is archived cannot be bought", () => {
  const archived = create(ProductSchema, { productId: "mug", available: 4, archived: true });
  expect(stockNote(archived).level).toBe("none");
});

test.each([
  [0, "Sold out", "none"],
  [1, "Only 1 left", "few"],
  [5, "Only 5 left", "few"],
  [6, "6 in stock", "plenty"],
  [100_000, "In stock", "plenty"],
])("%i units read %j", (available, text, level) => {
  expect(stockNote(product("mug", available, 1n))).toEqual({ text, level });
});
