import { afterEach, expect, test, vi } from "vitest";
import { createThrottle } from "./throttle.ts";

afterEach(() => void vi.useRealTimers());

test("the first event passes, then one an interval, which counts those since", () => {
  vi.useFakeTimers();
  const throttle = createThrottle(1_000);
  expect([throttle(), throttle(), throttle()]).toEqual([1, 0, 0]);
  vi.advanceTimersByTime(1_000);
  expect([throttle(), throttle()]).toEqual([3, 0]);
  vi.advanceTimersByTime(5_000);
  expect(throttle()).toBe(2);
});
