import { expect, it } from "vitest";
import { createRandom } from "./random.ts";

it("repeats itself for the same seed, and only for that", () => {
  const take = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, () => random.int(0, 1_000));
  };
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
});

it("keeps forks apart", () => {
  const greedy = createRandom(1);
  const modest = createRandom(1);
  greedy.next();
  expect(greedy.fork("faults").next()).toBe(modest.fork("faults").next());
  expect(greedy.fork("faults").next()).not.toBe(modest.fork("load").next());
});

it("loses nothing when it shuffles", () => {
  const values = ["a", "b", "c", "d", "e"];
  expect(createRandom(3).shuffle(values).sort()).toEqual(values);
});
