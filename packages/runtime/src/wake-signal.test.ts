import { expect, test } from "vitest";
import { createWakeSignal } from "./wake-signal.ts";

const never = new AbortController().signal;

test("a notification wakes the loop, and one that came before is kept", async () => {
  const wake = createWakeSignal();
  const waiting = wake.wait(never);
  wake.notify();
  await waiting;
  wake.notify();
  wake.notify();
  await wake.wait(never);
  // Both became one: the next wait ends by its own bound.
  let isOver = false;
  const next = wake.wait(never).then(() => {
    isOver = true;
  });
  await new Promise(setImmediate);
  expect(isOver).toBe(false);
  wake.notify();
  await next;
});

test("a wait ends at its bound, and when the signal fires", async () => {
  const wake = createWakeSignal();
  await wake.wait(never, 1);
  await wake.wait(never, -1);
  const stop = new AbortController();
  const waiting = wake.wait(stop.signal);
  stop.abort();
  await waiting;
  await wake.wait(stop.signal);
});

test("a reset forgets what was kept", async () => {
  const wake = createWakeSignal();
  wake.notify();
  wake.reset();
  let isOver = false;
  const waiting = wake.wait(never).then(() => {
    isOver = true;
  });
  await new Promise(setImmediate);
  expect(isOver).toBe(false);
  wake.notify();
  await waiting;
});
