import { expect, it } from "vitest";
import type { Concurrency } from "./admission.ts";
import { createAdmission, initialConcurrency, nextConcurrency } from "./admission.ts";

const outcomes = (settled: readonly PromiseSettledResult<unknown>[]) =>
  settled.map((one) => (one.status === "fulfilled" ? "in" : one.reason.code));

it("doubles in the time of a request while all are quick, up to what the contract allows", () => {
  let now: Concurrency = initialConcurrency;
  for (let i = 0; i < 64; i += 1) {
    now = nextConcurrency(now, { tookMs: 100, underWay: now.limit, nowMs: 0 });
  }
  expect(now.limit).toBe(128);
  for (let i = 0; i < 1000; i += 1) {
    now = nextConcurrency(now, { tookMs: 100, underWay: now.limit, nowMs: 0 });
  }
  expect(now.limit).toBe(256);
});

it("does not grow by requests that come one by one, nor by those that are neither quick nor slow", () => {
  for (const ended of [
    { tookMs: 10, underWay: 1, nowMs: 0 },
    { tookMs: 800, underWay: 64, nowMs: 0 },
  ]) {
    expect(nextConcurrency(initialConcurrency, ended)).toEqual(initialConcurrency);
  }
});

it("falls by a third for all that were too slow within a second, and not below a few", () => {
  const slow = (nowMs: number) => ({ tookMs: 3000, underWay: 64, nowMs });
  let now = nextConcurrency(initialConcurrency, slow(5000));
  expect(now.limit).toBe(42);
  expect(nextConcurrency(now, slow(5900))).toEqual(now);
  for (let second = 6; second < 60; second += 1) now = nextConcurrency(now, slow(second * 1000));
  expect(now.limit).toBe(32);
});

it("lets as many in as are answered in time; of the others some wait, and the rest is told to come again", async () => {
  let nowMs = 0;
  const admission = createAdmission(() => nowMs);
  const first = await Promise.all(Array.from({ length: 64 }, () => admission.enter()));
  const waiting = Array.from({ length: 256 }, () => admission.enter());
  const refused = await Promise.allSettled(Array.from({ length: 10 }, () => admission.enter()));
  expect(outcomes(refused)).toEqual(Array.from({ length: 10 }, () => "TOO_MANY_ORDERS"));
  // All of the first took five seconds: the limit is lower than before, so not every request that leaves lets another in.
  nowMs = 5000;
  for (const visit of first) visit.leave();
  const rest = outcomes(await Promise.allSettled(waiting));
  expect(rest.filter((outcome) => outcome === "in")).toHaveLength(42);
  expect(rest.filter((outcome) => outcome === "TOO_MANY_ORDERS")).toHaveLength(256 - 42);
});

it("does not count the time for which a request waits for the payment provider", async () => {
  let nowMs = 0;
  const admission = createAdmission(() => nowMs);
  const visits = await Promise.all(Array.from({ length: 64 }, () => admission.enter()));
  const paid = Promise.withResolvers<void>();
  const waiting = visits.map((visit) => visit.wait(paid.promise));
  nowMs = 60_000;
  paid.resolve();
  await Promise.all(waiting);
  for (const visit of visits) visit.leave();
  const again = await Promise.allSettled(Array.from({ length: 75 }, () => admission.enter()));
  // More than 64 at once: the limit is higher than before.
  expect(outcomes(again)).toEqual(again.map(() => "in"));
});

it("keeps no place for a request whose caller has gone", async () => {
  const admission = createAdmission();
  const visits = await Promise.all(Array.from({ length: 64 }, () => admission.enter()));
  const gone = new AbortController();
  const waits = admission.enter(gone.signal);
  gone.abort(new Error("gone"));
  await expect(waits).rejects.toThrow("gone");
  visits[0]?.leave();
  await expect(admission.enter()).resolves.toBeDefined();
});

it("hands the turn of a request that waits for the payment provider on to the next", async () => {
  const admission = createAdmission();
  const paid = Promise.withResolvers<void>();
  const visits = await Promise.all(Array.from({ length: 64 }, () => admission.enter()));
  const waiting = visits.map((visit) => visit.wait(paid.promise));
  const others = Array.from({ length: 86 }, () => admission.enter());
  // They wait for a turn, not for the provider.
  const next = await Promise.all(others.slice(0, 64));
  for (const visit of next) visit.leave();
  expect(outcomes(await Promise.allSettled(others))).toEqual(others.map(() => "in"));
  paid.resolve();
  await Promise.all(waiting);
  for (const visit of visits) visit.leave();
});
