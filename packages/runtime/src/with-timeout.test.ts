import { expect, test, vi } from "vitest";
import { timedOut, untilAborted, withTimeout } from "./with-timeout.ts";

const never = new Promise<string>(() => {});

test("settles as the work does, and leaves no timer and no listener", async () => {
  vi.useFakeTimers();
  const { signal } = new AbortController();
  const removed = vi.spyOn(signal, "removeEventListener");
  const late = vi.fn();
  expect(await withTimeout(Promise.resolve("done"), 1_000, late, signal)).toBe("done");
  await expect(withTimeout(Promise.reject(new Error("no")), 1_000, late)).rejects.toThrow("no");
  expect([vi.getTimerCount(), removed.mock.calls.length, late.mock.calls.length]).toEqual([
    0, 1, 0,
  ]);
  vi.useRealTimers();
});

test("settles with what `late` returns or throws when the time is up", async () => {
  expect(await withTimeout(never, 1, () => "late")).toBe("late");
  await expect(withTimeout(never, 1, timedOut("it did not answer", 1))).rejects.toThrow(
    "it did not answer within 1 ms",
  );
});

test("a signal ends the wait, also one that has fired already", async () => {
  const controller = new AbortController();
  const waiting = withTimeout(never, Number.POSITIVE_INFINITY, () => "ended", controller.signal);
  controller.abort();
  expect(await waiting).toBe("ended");
  expect(await untilAborted(never, controller.signal)).toBeUndefined();
  expect(await untilAborted(Promise.resolve(1), new AbortController().signal)).toBe(1);
});

test("a rejection after the time limit is not an unhandled rejection", async () => {
  const work = Promise.withResolvers<never>();
  expect(await withTimeout(work.promise, 1, () => "late")).toBe("late");
  work.reject(new Error("later"));
  await new Promise(setImmediate);
});

test("a bound that has passed already is up at once, and one past a timer's range is not", async () => {
  const warnings = vi.spyOn(process, "emitWarning");
  expect(await withTimeout(never, -0.42, () => "late")).toBe("late");
  const soon = new Promise<string>((resolve) => setTimeout(resolve, 20, "done"));
  expect(await withTimeout(soon, 2 ** 31, () => "late")).toBe("done");
  expect(warnings).not.toHaveBeenCalled();
  warnings.mockRestore();
});
