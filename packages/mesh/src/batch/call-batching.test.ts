import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchedCall } from "./batched-call.ts";
import { createCallBatcher } from "./call-batching.ts";

const unbounded: BatchedCall = { onDeadline: () => new Error("deadline") };

/** A batcher whose runs end when the test says so. */
function heldBatcher(o: { maxItems?: number; maxConcurrent?: number; slowAfterMs?: number } = {}) {
  const runs: { items: readonly string[]; deadlineAtMs: number | undefined; end: () => void }[] =
    [];
  const batched = createCallBatcher<string, string>({
    maxItems: 100,
    slowAfterMs: 60_000,
    ...o,
    run(items, deadlineAtMs) {
      const { promise, resolve } = Promise.withResolvers<readonly string[]>();
      runs.push({ items, deadlineAtMs, end: () => resolve(items.map((item) => `${item}!`)) });
      return promise;
    },
  });
  return { batched, runs };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("createCallBatcher", () => {
  test("calls of one turn become one run, and each gets its own answer", async () => {
    const { batched, runs } = heldBatcher();
    const answers = Promise.all(["a", "b", "c"].map((item) => batched(item, unbounded)));
    await nextTurn();
    expect(runs.map((run) => run.items)).toEqual([["a", "b", "c"]]);
    runs[0]?.end();
    expect(await answers).toEqual(["a!", "b!", "c!"]);
  });

  test("while all slots are taken, calls gather for the next run", async () => {
    const { batched, runs } = heldBatcher({ maxConcurrent: 1 });
    const first = batched("a", unbounded);
    await nextTurn();
    const others = [batched("b", unbounded), batched("c", unbounded)];
    await nextTurn();
    expect(runs).toHaveLength(1);
    runs[0]?.end();
    await first;
    await expect.poll(() => runs.length).toBe(2);
    expect(runs[1]?.items).toEqual(["b", "c"]);
    runs[1]?.end();
    expect(await Promise.all(others)).toEqual(["b!", "c!"]);
  });

  test("a slow run does not hold up the others", async () => {
    const { batched, runs } = heldBatcher({ maxConcurrent: 1, slowAfterMs: 1 });
    const slow = batched("slow", unbounded);
    await nextTurn();
    const quick = batched("quick", unbounded);
    await expect.poll(() => runs.length).toBe(2);
    runs[1]?.end();
    expect(await quick).toBe("quick!");
    runs[0]?.end();
    expect(await slow).toBe("slow!");
  });

  test("more than maxItems are spread over several runs", async () => {
    const { batched, runs } = heldBatcher({ maxItems: 2 });
    const answers = Promise.all(["a", "b", "c"].map((item) => batched(item, unbounded)));
    await nextTurn();
    expect(runs.map((run) => run.items)).toEqual([["a", "b"], ["c"]]);
    for (const run of runs) {
      run.end();
    }
    await answers;
  });

  test("an abort rejects its caller only, and the run goes on", async () => {
    const { batched, runs } = heldBatcher();
    const leaving = new AbortController();
    const left = batched("a", { ...unbounded, signal: leaving.signal });
    const stayed = batched("b", unbounded);
    await nextTurn();
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    runs[0]?.end();
    expect(await stayed).toBe("b!");
  });

  test("an item whose caller is gone before its run began is not sent", async () => {
    const { batched, runs } = heldBatcher();
    const gone = AbortSignal.abort(new Error("gone"));
    const left = batched("a", { ...unbounded, signal: gone });
    const stayed = batched("b", unbounded);
    await expect(left).rejects.toThrow("gone");
    await nextTurn();
    expect(runs.map((run) => run.items)).toEqual([["b"]]);
    runs[0]?.end();
    await stayed;
  });

  test("a caller stops waiting at its own deadline, and the run has the latest of all", async () => {
    const { batched, runs } = heldBatcher();
    const now = Date.now();
    const hurried = batched("a", { ...unbounded, deadlineAtMs: now + 5 });
    const patient = batched("b", { ...unbounded, deadlineAtMs: now + 60_000 });
    await expect(hurried).rejects.toThrow("deadline");
    expect(runs[0]?.deadlineAtMs).toBe(now + 60_000);
    runs[0]?.end();
    expect(await patient).toBe("b!");
  });

  test("a run is unbounded when one of its items is", async () => {
    const { batched, runs } = heldBatcher();
    const answers = [
      batched("a", { ...unbounded, deadlineAtMs: Date.now() + 60_000 }),
      batched("b", unbounded),
    ];
    await nextTurn();
    expect(runs[0]?.deadlineAtMs).toBeUndefined();
    runs[0]?.end();
    await Promise.all(answers);
  });

  test("a run belongs to the context of its first item", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batched = createCallBatcher<string, string>({
      maxItems: 1,
      maxConcurrent: 1,
      async run(items) {
        seen.push(context.getStore());
        return items;
      },
    });
    const calls = ["a", "b", "c"].map((item) => context.run(item, () => batched(item, unbounded)));
    await Promise.all(calls);
    expect(seen).toEqual(["a", "b", "c"]);
  });

  test("too few answers fail every call of the run", async () => {
    const batched = createCallBatcher<string, string>({
      maxItems: 9,
      run: async () => ["only one"],
    });
    const answers = await Promise.allSettled([batched("a", unbounded), batched("b", unbounded)]);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected"]);
  });

  test("any mix of calls, errors and aborts: each call settles once, with its own outcome", async () => {
    const outcome = fc.constantFrom("ok", "item error", "run error", "abort");
    const call = fc.record({ outcome, pauseMs: fc.integer({ min: 0, max: 3 }) });
    const limits = fc.record({
      maxItems: fc.integer({ min: 1, max: 5 }),
      maxConcurrent: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 30 }), limits, async (calls, o) => {
        const sent: number[] = [];
        const batched = createCallBatcher<number, string>({
          ...o,
          slowAfterMs: 1,
          async run(items) {
            expect(items.length).toBeLessThanOrEqual(o.maxItems);
            sent.push(...items);
            await delay(items[0] === undefined ? 0 : items[0] % 3);
            if (items.some((i) => calls[i]?.outcome === "run error")) {
              throw new Error("run");
            }
            return items.map((i) =>
              calls[i]?.outcome === "item error" ? new Error(`item ${i}`) : `done ${i}`,
            );
          },
        });
        const settled = await Promise.allSettled(
          calls.map(async ({ outcome, pauseMs }, i) => {
            await delay(pauseMs);
            const signal = outcome === "abort" ? AbortSignal.abort(new Error("gone")) : undefined;
            return batched(i, { ...unbounded, signal });
          }),
        );
        for (const [i, result] of settled.entries()) {
          const text =
            result.status === "fulfilled" ? result.value : (result.reason as Error).message;
          const own = {
            ok: `done ${i}`,
            "item error": `item ${i}`,
            "run error": "run",
            abort: "gone",
          };
          // A neighbour in the same run may have failed all of it.
          expect([own[calls[i]?.outcome ?? "ok"], "run"]).toContain(text);
        }
        expect(new Set(sent).size).toBe(sent.length);
      }),
      { numRuns: 40 },
    );
  });
});
