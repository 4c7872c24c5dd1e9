import { expect, test, vi } from "vitest";
import { createAttention } from "./attention.ts";
import { createFeed } from "./feed.ts";

test("is awake from the first follower until a while after the last", async () => {
  vi.useFakeTimers();
  using attention = createAttention(1_000);
  const woken = vi.fn();
  attention.onAwake(woken);
  const feed = createFeed<string>(attention.followers);
  const never = new AbortController().signal;
  let waited = false;
  void attention.untilAwake(never).then(() => {
    waited = true;
  });
  await vi.advanceTimersByTimeAsync(10);
  expect([attention.isAwake(), waited]).toEqual([false, false]);

  const [one, other] = [new AbortController(), new AbortController()];
  feed.follow(one.signal);
  feed.follow(other.signal);
  const asleep = attention.asleep();
  one.abort();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([attention.isAwake(), waited, asleep.aborted]).toEqual([true, true, false]);

  // A follower that comes back in time finds it awake.
  other.abort();
  await vi.advanceTimersByTimeAsync(999);
  const late = new AbortController();
  feed.follow(late.signal);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([attention.isAwake(), woken.mock.calls.length]).toEqual([true, 1]);

  late.abort();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([attention.isAwake(), asleep.aborted]).toEqual([false, true]);
  feed.follow(never);
  expect([attention.isAwake(), woken.mock.calls.length]).toEqual([true, 2]);
  expect(attention.asleep().aborted).toBe(false);
  vi.useRealTimers();
});
