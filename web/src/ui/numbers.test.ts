import { expect, test } from "vitest";
import { formatMs, formatRate } from "./numbers.ts";

test.each([
  [0, "0/s"],
  [0.44, "0.4/s"],
  [9.97, "10/s"],
  [212.3, "212/s"],
])("%d a second", (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});

test.each([
  [0.83, "0.8 ms"],
  [42.4, "42 ms"],
  [999.7, "1 s"],
  [1_300, "1.3 s"],
])("%d ms", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});
