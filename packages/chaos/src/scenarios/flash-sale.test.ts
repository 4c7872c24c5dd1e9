import { expect, it } from "vitest";
import type { Repetition } from "../load/shopper.ts";
import { onlyExpectedErrors } from "./flash-sale.ts";

const again = (...reasons: string[]): Repetition => ({ operation: "place", key: "k", reasons });

it("takes 409 and 429 for polite", () => {
  const repeated = [again("429 RATE_LIMITED"), again("409 IDEMPOTENCY_KEY_IN_USE")];
  expect(onlyExpectedErrors({ repeated }).count).toBe(0);
});

it("names and counts everything else", () => {
  const repeated = [again("503 OVERLOADED", "503 OVERLOADED"), again("ECONNRESET")];
  expect(onlyExpectedErrors({ repeated }).rows).toEqual([
    { reason: "503 OVERLOADED", count: 2 },
    { reason: "ECONNRESET", count: 1 },
  ]);
});
