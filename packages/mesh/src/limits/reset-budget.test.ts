import { expect, test } from "vitest";
import { createResetBudget } from "./reset-budget.ts";

test("an address owes what it aborts beyond its burst, and pays it off by time", () => {
  let nowMs = 0;
  const resets = createResetBudget({ burst: 10, perSecond: 100 }, () => nowMs);
  for (let i = 0; i < 10; i++) resets.note("a");
  expect(resets.debtMs("a")).toBe(0);
  for (let i = 0; i < 5; i++) resets.note("a");
  expect([resets.debtMs("a"), resets.debtMs("b")]).toEqual([50, 0]);
  nowMs += 30;
  expect(resets.debtMs("a")).toBe(20);
  nowMs += 1000;
  expect(resets.debtMs("a")).toBe(0);
  for (let i = 0; i < 11; i++) resets.note("a");
  expect(resets.debtMs("a")).toBe(10);
});

test("addresses are remembered up to a bound", () => {
  const resets = createResetBudget({ burst: 1, perSecond: 1 }, () => 0);
  for (let i = 0; i < 3; i++) resets.note("first");
  for (let i = 0; i < 10_000; i++) resets.note(`other-${i}`);
  expect(resets.debtMs("first")).toBe(0);
});
