import { expect, it } from "vitest";
import { parseCpuMs } from "./cpu-time.ts";

it("adds up the time of a process and of its ended children", () => {
  const stat =
    "71 (a (b) c) S 1 71 71 0 -1 4194560 2605 0 0 0 12 3 40 5 20 0 11 0 1234 1000000 9000 18446744073709551615";
  expect(parseCpuMs(stat)).toBe((12 + 3 + 40 + 5) * 10);
});

it("is 0 for a process that is gone", () => {
  expect(parseCpuMs("")).toBe(0);
});
