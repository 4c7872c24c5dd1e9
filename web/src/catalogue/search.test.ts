import { expect, test } from "vitest";
import { filterIn, hitsInWords, listingPath } from "./search.ts";

test("the address keeps query and category, whatever they hold", () => {
  const filter = { query: "mug & 100% ☕", category: "Kitchen & more" };
  expect(filterIn(listingPath(filter).slice(1))).toEqual(filter);
  expect(listingPath({ query: " ", category: "" })).toBe("/");
  expect(filterIn("")).toEqual({ query: "", category: "" });
});

test.each([
  [0, false, "Nothing found"],
  [1, false, "1 product"],
  [3, false, "3 products"],
  [48, true, "48+ products"],
])("%i hits, more: %s", (hits, hasMore, words) => {
  expect(hitsInWords(hits, hasMore)).toBe(words);
});
