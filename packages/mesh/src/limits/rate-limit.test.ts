import { expect, test } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

test("one second's worth at once, then as it refills, each address for itself", () => {
  let nowMs = 0;
  const limit = createRateLimit(2, () => nowMs);
  expect([limit("a"), limit("a")]).toEqual([0, 0]);
  expect(limit("a")).toBe(500);
  expect(limit("b")).toBe(0);
  nowMs += 300;
  expect(limit("a")).toBeGreaterThan(0);
  nowMs += 250;
  expect(limit("a")).toBe(0);
});
