import { expect, test } from "vitest";
import { createAllowance } from "./allowance.ts";

test("a burst goes through, then so many a second", () => {
  let nowMs = 0;
  const may = createAllowance(3, 2, () => nowMs);
  expect([may(), may(), may(), may()]).toEqual([true, true, true, false]);
  nowMs = 500;
  expect([may(), may()]).toEqual([true, false]);
  nowMs = 60_000;
  expect([may(), may(), may(), may()]).toEqual([true, true, true, false]);
});
