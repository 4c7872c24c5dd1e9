import { expect, test } from "vitest";
import { createTokenBucket } from "./token-bucket.ts";

test("a burst goes through, then so many a second", () => {
  let nowMs = 0;
  const may = createTokenBucket(3, 2, () => nowMs);
  expect([may(), may(), may(), may()]).toEqual([true, true, true, false]);
  nowMs = 500;
  expect([may(), may()]).toEqual([true, false]);
  nowMs = 60_000;
  expect([may(), may(), may(), may()]).toEqual([true, true, true, false]);
});
