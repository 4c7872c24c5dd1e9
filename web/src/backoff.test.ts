import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

test("the pause doubles up to a bound", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1_000].map((failures) => backoffMs(failures, 0))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000,
  ]);
});

test("chance takes off up to a half, never more", () => {
  expect(backoffMs(3, 0.5)).toBe(3_000);
  expect(backoffMs(3, 0.999)).toBeGreaterThanOrEqual(2_000);
});
