import { expect, it } from "vitest";
import { countBy, percentiles } from "./numbers.ts";

it("finds the middle, the end and what is almost the end", () => {
  const values = Array.from({ length: 101 }, (_, index) => 100 - index);
  expect(percentiles(values)).toEqual({ p50: 50, p99: 99, max: 100 });
  expect(percentiles([])).toEqual({ p50: 0, p99: 0, max: 0 });
});

it("counts names", () => {
  expect(countBy(["a", "b", "a"])).toEqual({ a: 2, b: 1 });
});
