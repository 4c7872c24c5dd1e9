import { expect, test } from "vitest";
import { stackStates, withGaps } from "./stack.ts";

const sample = (second: number, states: Record<string, number>) => ({
  atMs: second * 1_000,
  states: new Map(Object.entries(states)),
  outsideRate: 1,
  outsideP99Ms: 2,
});

test("layers lie on one another, in the order of an order's life", () => {
  const { seconds, layers } = stackStates([
    sample(1, { SHIPPING: 2, RECEIVED: 1 }),
    sample(2, { RECEIVED: 3, NEWER_STATE: 5 }),
  ]);
  expect(seconds).toEqual([1, 2]);
  expect(layers).toEqual([
    { name: "RECEIVED", tops: [1, 3], latest: 3 },
    { name: "SHIPPING", tops: [3, 3], latest: 0 },
    { name: "NEWER_STATE", tops: [3, 8], latest: 5 },
  ]);
});

test("a time of which nothing is known is a gap, not a line", () => {
  const samples = [sample(1, { PAID: 1 }), sample(60, { PAID: 2 })];
  expect(withGaps(samples).map(({ outsideRate }) => outsideRate)).toEqual([1, undefined, 1]);
  expect(stackStates(samples).layers[0]?.tops).toEqual([1, null, 2]);
});

test("nothing known is nothing drawn", () => {
  expect(stackStates([])).toEqual({ seconds: [], layers: [] });
});
