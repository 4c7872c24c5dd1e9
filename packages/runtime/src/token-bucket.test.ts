import { expect, test } from "vitest";
import { createTokenBucket, createTokenBuckets } from "./token-bucket.ts";

function createClock() {
  let nowMs = 0;
  return {
    now: () => nowMs,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("allows a burst, then the rate per second, and a rejected call takes no token", () => {
  const { now, pass } = createClock();
  const bucket = createTokenBucket({ capacity: 3, refillPerSecond: 2, now });
  const take = (times: number) => Array.from({ length: times }, () => bucket.take());
  expect(take(5)).toEqual([0, 0, 0, 500, 500]);
  pass(300);
  expect(bucket.take()).toBe(200);
  pass(200);
  expect(take(2)).toEqual([0, 500]);
  pass(60_000);
  expect(take(4)).toEqual([0, 0, 0, 500]);
});

test("what is charged beyond the capacity is owed, and paid off by time", () => {
  const { now, pass } = createClock();
  const bucket = createTokenBucket({ capacity: 10, refillPerSecond: 100, now });
  for (let i = 0; i < 10; i++) bucket.charge();
  expect(bucket.debtMs()).toBe(0);
  for (let i = 0; i < 5; i++) bucket.charge();
  expect(bucket.debtMs()).toBe(50);
  pass(30);
  expect(bucket.debtMs()).toBe(20);
  pass(1000);
  for (let i = 0; i < 11; i++) bucket.charge();
  expect(bucket.debtMs()).toBe(10);
});

test("each key has a bucket of its own", () => {
  const { now } = createClock();
  const buckets = createTokenBuckets({ capacity: 1, refillPerSecond: 1, now });
  expect([buckets.take("a"), buckets.take("a"), buckets.take("b")]).toEqual([0, 1000, 0]);
  buckets.charge("b");
  expect([buckets.debtMs("b"), buckets.debtMs("c")]).toEqual([1000, 0]);
});

test("keys are remembered up to a bound, and the longest unused one is forgotten", () => {
  const { now } = createClock();
  const buckets = createTokenBuckets({ capacity: 1, refillPerSecond: 1, now });
  for (const key of ["old", "used", "used"]) buckets.charge(key);
  buckets.charge("old");
  buckets.charge("used");
  for (let i = 0; i < 9_999; i++) buckets.charge(`other-${i}`);
  expect([buckets.debtMs("old"), buckets.debtMs("used")]).toEqual([0, 2000]);
});
