import { expect, test } from "vitest";
import { queryIn, searchPath, searchProducts } from "./search.ts";

const products = [
  { name: "Ceramic Mug", description: "Stoneware with a speckled glaze.", category: "Kitchen" },
  { name: "Camp Mug", description: "Enamelled steel.", category: "Outdoor" },
  { name: "Café Press", description: "Glass.", category: "Coffee" },
];
const found = (query: string) => searchProducts(products, query).map(({ name }) => name);

test.each([
  ["", ["Ceramic Mug", "Camp Mug", "Café Press"]],
  ["  ", ["Ceramic Mug", "Camp Mug", "Café Press"]],
  ["MUG", ["Ceramic Mug", "Camp Mug"]],
  ["mug steel", ["Camp Mug"]],
  ["outdoor", ["Camp Mug"]],
  ["cafe", ["Café Press"]],
  ["speck", ["Ceramic Mug"]],
  ["teapot", []],
])("%j finds %j", (query, names) => {
  expect(found(query)).toEqual(names);
});

test("the address keeps the query, whatever it holds", () => {
  const query = "mug & 100% ☕";
  expect(queryIn(searchPath(query).slice(1))).toBe(query);
  expect(searchPath(" ")).toBe("/");
  expect(queryIn("")).toBe("");
});
