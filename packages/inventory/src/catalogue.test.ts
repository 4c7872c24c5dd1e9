import { expect, it } from "vitest";
import { pageSizeOf, parsePageToken, toPageToken } from "./catalogue.ts";

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

it("takes 0 for the default page size and bounds what is asked for", () => {
  expect([0, 7, 1000].map(pageSizeOf)).toEqual([50, 7, 200]);
});
