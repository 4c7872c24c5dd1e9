import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCoalescer } from "./coalescer.ts";
import { DatabaseUnavailableError } from "./sql-errors.ts";

describe("createCoalescer", () => {
  test("a lone call is a run of one; calls of the same turn share a run", async () => {
    const runs: (readonly number[])[] = [];
    const double = createCoalescer<number, number>({
      name: "double",
      maxItems: 10,
      run: async (items) => {
        runs.push(items);
        return items.map((n) => n * 2);
      },
    });
    expect(await double(1)).toBe(2);
    expect(await Promise.all([double(2), double(3)])).toEqual([4, 6]);
    expect(runs).toEqual([[1], [2, 3]]);
  });

  test("calls during a run wait for it and share the next, at most maxItems of them", async () => {
    const runs: (readonly number[])[] = [];
    const gate = Promise.withResolvers<void>();
    const call = createCoalescer<number, number>({
      name: "gated",
      maxItems: 3,
      run: async (items) => {
        runs.push(items);
        await gate.promise;
        return items;
      },
    });
    const first = call(0);
    await turn();
    const rest = [1, 2, 3, 4].map(call);
    await turn();
    expect(runs).toEqual([[0]]);
    gate.resolve();
    expect(await Promise.all([first, ...rest])).toEqual([0, 1, 2, 3, 4]);
    expect(runs).toEqual([[0], [1, 2, 3], [4]]);
  });

  test("an Error in the results rejects its own item alone", async () => {
    const call = createCoalescer<number, string>({
      name: "odd",
      maxItems: 10,
      run: async (items) => items.map((n) => (n % 2 ? new Error(`odd ${n}`) : `even ${n}`)),
    });
    expect(await Promise.allSettled([0, 1, 2].map(call))).toEqual([
      { status: "fulfilled", value: "even 0" },
      { status: "rejected", reason: new Error("odd 1") },
      { status: "fulfilled", value: "even 2" },
    ]);
  });

  test("a run that finds the database away, at once or later, rejects its items; the next run is not touched", async () => {
    let runs = 0;
    const call = createCoalescer<number, number>({
      name: "flaky",
      maxItems: 2,
      run: (items) => {
        runs++;
        if (runs === 1) throw new DatabaseUnavailableError("at once");
        if (runs === 2) return Promise.reject(new DatabaseUnavailableError("later"));
        return Promise.resolve(items);
      },
    });
    const results = await Promise.allSettled([0, 1, 2, 3, 4].map(call));
    expect(results.map((r) => (r.status === "rejected" ? r.reason.message : r.value))).toEqual([
      "at once",
      "at once",
      "later",
      "later",
      4,
    ]);
  });

  test("bad items alone are rejected, each with its own error, in few runs", async () => {
    let runs = 0;
    const call = createCoalescer<number, number>({
      name: "poisoned",
      maxItems: 256,
      run: async (items) => {
        runs++;
        const bad = items.find((n) => n === 100 || n === 101);
        if (bad !== undefined) throw new Error(`bad ${bad}`);
        return items;
      },
    });
    const results = await Promise.allSettled(Array.from({ length: 256 }, (_, n) => call(n)));
    const rejected = results.flatMap((r) => (r.status === "rejected" ? [r.reason.message] : []));
    expect(rejected).toEqual(["bad 100", "bad 101"]);
    expect(runs).toBeLessThan(25);
  });

  test("a wrong number of results rejects all items of the run", async () => {
    const call = createCoalescer<number, number>({
      name: "short",
      maxItems: 10,
      run: async () => [1],
    });
    const results = await Promise.allSettled([call(0), call(1)]);
    expect(results).toEqual([
      { status: "rejected", reason: new Error("short answered 1 results for 2 items") },
      { status: "rejected", reason: new Error("short answered 1 results for 2 items") },
    ]);
  });

  test("a run does not inherit the context of the call that came first", async () => {
    const context = new AsyncLocalStorage<string>();
    const call = createCoalescer<number, string>({
      name: "context",
      maxItems: 10,
      run: async (items) => items.map(() => context.getStore() ?? "none"),
    });
    const [seen, own] = await context.run("first caller", async () => [
      await call(0),
      context.getStore(),
    ]);
    expect(seen).toBe("none");
    expect(own).toBe("first caller");
  });

  test("whatever the load: each item is in one run that ends well, in order, and gets its own answer", async () => {
    const loads = fc.record({
      maxItems: fc.integer({ min: 1, max: 8 }),
      maxConcurrent: fc.integer({ min: 1, max: 4 }),
      // how many calls come in each turn, and which items and runs fail
      turns: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 10 }),
      badItems: fc.array(fc.nat(60)),
      poison: fc.array(fc.nat(60)),
      badRuns: fc.array(fc.nat(20)),
      runTurns: fc.array(fc.nat(3), { minLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(loads, async (load) => {
        const runs: (readonly number[])[] = [];
        const inBadRun = new Map<number, number>();
        let started = 0;
        let underWay = 0;
        let mostUnderWay = 0;
        const call = createCoalescer<number, string>({
          name: "property",
          maxItems: load.maxItems,
          maxConcurrent: load.maxConcurrent,
          run: async (items) => {
            const index = started++;
            mostUnderWay = Math.max(mostUnderWay, ++underWay);
            const turns = load.runTurns[index % load.runTurns.length] ?? 0;
            for (let i = 0; i < turns; i++) await turn();
            underWay--;
            if (load.badRuns.includes(index)) {
              for (const n of items) inBadRun.set(n, index);
              throw new DatabaseUnavailableError(`run ${index}`);
            }
            const poison = items.find((n) => load.poison.includes(n));
            if (poison !== undefined) throw new Error(`poison ${poison}`);
            runs.push(items);
            return items.map((n) =>
              load.badItems.includes(n) ? new Error(`item ${n}`) : `ok ${n}`,
            );
          },
        });
        const calls: Promise<string>[] = [];
        const answerOf = (call: Promise<string>) => call.catch((error) => error.message);
        for (const count of load.turns) {
          for (let i = 0; i < count; i++) calls.push(answerOf(call(calls.length)));
          await turn();
        }
        const answers = await Promise.all(calls);

        const lost = (n: number) => inBadRun.has(n) || load.poison.includes(n);
        // exactly once
        expect(runs.flat().sort((a, b) => a - b)).toEqual(
          [...answers.keys()].filter((n) => !lost(n)),
        );
        // in the order of the calls, unless runs overlap
        if (load.maxConcurrent === 1)
          expect(runs.flat()).toEqual(runs.flat().sort((a, b) => a - b));
        expect(runs.every((items) => items.length >= 1 && items.length <= load.maxItems)).toBe(
          true,
        );
        expect(mostUnderWay).toBeLessThanOrEqual(load.maxConcurrent);
        for (const [n, answer] of answers.entries()) {
          if (inBadRun.has(n)) expect(answer).toBe(`run ${inBadRun.get(n)}`);
          else if (load.poison.includes(n)) expect(answer).toBe(`poison ${n}`);
          else expect(answer).toBe(load.badItems.includes(n) ? `item ${n}` : `ok ${n}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});
