import { expect, it } from "vitest";
import { pageOf, pageSizeOf, parsePageToken, toPageToken } from "./catalogue.ts";

it("reads the page tokens that it wrote", () => {
  const last = { category: "Home", name: "Kerze „Süd“", productId: "candle" };
  expect(parsePageToken(toPageToken(last))).toEqual(last);
});

it.each([
  "x",
  "e30",
  "bnVsbA",
  Buffer.from('["a","b"]').toString("base64url"),
  Buffer.from('["a","b","\\u0000"]').toString("base64url"),
])("takes %s for no page token", (token) => {
  expect(parsePageToken(token)).toBeUndefined();
});

it("takes 0 for the default page size", () => {
  expect([0, 7, 200].map(pageSizeOf)).toEqual([50, 7, 200]);
});

it("has a next page where one more was found than fits", () => {
  const tokenOf = (last: number) => `after ${last}`;
  expect(pageOf([1, 2, 3], 2, tokenOf)).toEqual({ page: [1, 2], nextPageToken: "after 2" });
  expect(pageOf([1, 2], 2, tokenOf)).toEqual({ page: [1, 2], nextPageToken: "" });
  expect(pageOf([], 2, tokenOf)).toEqual({ page: [], nextPageToken: "" });
});
