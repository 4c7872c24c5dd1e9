import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLoadSwitch } from "./load-switch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("ends by itself, counted from the last turn, and can be turned on again", async () => {
  const rates: number[] = [];
  using load = createLoadSwitch((rate) => void rates.push(rate), 300_000);
  await load.turn(20);
  await vi.advanceTimersByTimeAsync(299_000);
  await load.turn(40);
  await vi.advanceTimersByTimeAsync(299_000);
  expect([load.value(), rates]).toEqual([40, [20, 40]]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([load.value(), rates]).toEqual([0, [20, 40, 0]]);
  await load.turn(5);
  await load.turn(0);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(rates).toEqual([20, 40, 0, 5, 0]);
});

test("a service that ends leaves no timer behind", async () => {
  const load = createLoadSwitch(() => {}, 300_000);
  await load.turn(20);
  load[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});
