import { describe, expect, test } from "vitest";
import type { Basket } from "./basket.ts";
import { addUnit, countUnits, parseBasket, putIn, setQuantity, takeOut } from "./basket.ts";

const mugs: Basket = [{ productId: "mug", quantity: 2 }];

describe("changing the basket", () => {
  test("a product has one line, in the order in which products came", () => {
    const basket = ["mug", "pen", "mug"].reduce<Basket>(addUnit, []);
    expect(basket).toEqual([
      { productId: "mug", quantity: 2 },
      { productId: "pen", quantity: 1 },
    ]);
    expect(countUnits(basket)).toBe(3);
  });

  test.each([0, -1, Number.NaN])("a quantity of %s takes the line out", (quantity) => {
    expect(setQuantity(mugs, "mug", quantity)).toEqual([]);
  });

  test("a line holds no more than the contract allows, and whole units", () => {
    expect(setQuantity(mugs, "mug", 5_000)).toEqual([{ productId: "mug", quantity: 1_000 }]);
    expect(setQuantity(mugs, "mug", 2.9)).toEqual(mugs);
  });

  test("the basket holds no more lines than the contract allows", () => {
    const full = Array.from({ length: 100 }, (_, line) => ({ productId: `p${line}`, quantity: 1 }));
    expect(addUnit(full, "one-more")).toEqual(full);
    expect(countUnits(addUnit(full, "p7"))).toBe(101);
  });

  test("what was ordered goes out, and what came in meanwhile stays", () => {
    const now: Basket = [
      { productId: "mug", quantity: 3 },
      { productId: "pen", quantity: 1 },
    ];
    expect(takeOut(now, mugs)).toEqual([
      { productId: "mug", quantity: 1 },
      { productId: "pen", quantity: 1 },
    ]);
    expect(putIn(takeOut(now, mugs), mugs)).toEqual(now);
  });
});

describe("a stored basket", () => {
  test("comes back as it was", () => {
    expect(parseBasket(JSON.stringify(mugs))).toEqual(mugs);
  });

  test.each([null, "", "{", "3", "{}", "null"])("that reads %j is empty", (text) => {
    expect(parseBasket(text)).toEqual([]);
  });

  test("loses only what does not fit", () => {
    const text = '[null, {"productId":"mug","quantity":2}, {"productId":"pen"}, {"quantity":1}, 7]';
    expect(parseBasket(text)).toEqual(mugs);
  });
});
