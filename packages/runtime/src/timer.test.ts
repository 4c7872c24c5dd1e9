import { describe, expect, test, vi } from "vitest";
import { createLogger, silentLogger } from "./logger.ts";
import { startTimer } from "./timer.ts";

const never = 2 ** 30;

describe("startTimer", () => {
  test("repeats, and goes on after a failure, which it logs", async () => {
    const lines: string[] = [];
    const log = createLogger({
      service: "x",
      destination: { write: (text) => void lines.push(text) },
    });
    let runs = 0;
    const run = async () => {
      runs++;
      if (runs === 1) throw new Error("broken");
    };
    await using _timer = startTimer({ name: "sweep", intervalMs: 1, log, run });
    await vi.waitFor(() => expect(runs).toBeGreaterThan(2));
    expect(lines).toEqual([
      expect.stringMatching(/"event":"timer.failed","timer":"sweep".*broken/),
    ]);
  });

  test("logs a failure that goes on once, and the next one after a success", async () => {
    const lines: string[] = [];
    const log = createLogger({
      service: "x",
      destination: { write: (text) => void lines.push(text) },
    });
    let runs = 0;
    const run = async () => {
      runs++;
      if (runs !== 20 && runs < 30) throw new Error(`broken ${runs}`);
    };
    await using _timer = startTimer({ name: "sweep", intervalMs: 1, log, run });
    await vi.waitFor(() => expect(runs).toBeGreaterThan(30));
    expect(lines).toEqual([
      expect.stringMatching(/"failures":1,.*broken 1"/),
      expect.stringMatching(/"failures":1,.*broken 21"/),
    ]);
  });

  test("never overlaps; pokes during a run become one more run", async () => {
    const gates: (() => void)[] = [];
    const run = () => new Promise<void>((resolve) => gates.push(resolve));
    await using timer = startTimer({ name: "relay", intervalMs: never, log: silentLogger, run });
    timer.poke();
    await vi.waitFor(() => expect(gates).toHaveLength(1));
    timer.poke();
    timer.poke();
    await new Promise((resolve) => setImmediate(resolve));
    expect(gates).toHaveLength(1);
    gates[0]?.();
    await vi.waitFor(() => expect(gates).toHaveLength(2));
    gates[1]?.();
  });

  test("runs when there is work, as far as the last run knows, within the bounds", async () => {
    const answers = [0, Number.POSITIVE_INFINITY, 50, undefined];
    const pauses: number[] = [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    let endedAt = performance.now();
    const run = async () => {
      pauses.push(performance.now() - endedAt);
      endedAt = performance.now();
      return answers[pauses.length - 1];
    };
    const bounds = { intervalMs: 10, longestMs: 100 };
    const timer = startTimer({ name: "sweep", ...bounds, log: silentLogger, run });
    await vi.advanceTimersByTimeAsync(10 + 10 + 100 + 50 + 10);
    expect(pauses).toEqual([10, 10, 100, 50, 10]);
    await timer[Symbol.asyncDispose]();
    vi.useRealTimers();
  });

  test("runs sooner where it is told to, also during a run", async () => {
    const at: number[] = [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const startedAt = performance.now();
    const run = async () => {
      at.push(performance.now() - startedAt);
      if (at.length === 1) timer.runWithin(30);
    };
    const timer = startTimer({ name: "sweep", intervalMs: 1_000, log: silentLogger, run });
    timer.runWithin(20);
    timer.runWithin(500);
    await vi.advanceTimersByTimeAsync(1_050);
    expect(at).toEqual([20, 50, 1_050]);
    await timer[Symbol.asyncDispose]();
    vi.useRealTimers();
  });

  test("disposing aborts and waits for the run under way, and no other follows", async () => {
    let runs = 0;
    let finished = 0;
    const run = (signal: AbortSignal) => {
      runs++;
      return new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          setImmediate(() => {
            finished++;
            resolve();
          });
        });
      });
    };
    const timer = startTimer({ name: "relay", intervalMs: 1, log: silentLogger, run });
    await vi.waitFor(() => expect(runs).toBe(1));
    timer.poke();
    await timer[Symbol.asyncDispose]();
    expect(finished).toBe(1);
    timer.poke();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(runs).toBe(1);
  });
});
