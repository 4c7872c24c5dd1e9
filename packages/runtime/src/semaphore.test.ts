import { expect, test } from "vitest";
import { createSemaphore } from "./semaphore.ts";

const never = new AbortController().signal;

test("lets so many in at once, the others in the order of their coming", async () => {
  const semaphore = createSemaphore({ maxConcurrent: 2, maxWaiting: 10, maxWaitMs: 60_000 });
  const order: number[] = [];
  const enter = async (call: number) => {
    const leave = await semaphore.acquire({ signal: never });
    order.push(call);
    return leave;
  };
  const [first, second] = await Promise.all([enter(1), enter(2)]);
  const later = [enter(3), enter(4), enter(5)];
  expect(order).toEqual([1, 2]);
  first?.();
  const third = await later[0];
  expect(order).toEqual([1, 2, 3]);
  second?.();
  third?.();
  await Promise.all(later);
  expect(order).toEqual([1, 2, 3, 4, 5]);
});

test("admits a later caller only if no caller waits", async () => {
  const semaphore = createSemaphore({ maxConcurrent: 1, maxWaiting: 10, maxWaitMs: 60_000 });
  const first = await semaphore.acquire({ signal: never });
  const waiting = semaphore.acquire({ signal: never });
  first?.();
  const late = semaphore.acquire({ signal: never });
  (await waiting)?.();
  expect(await late).toBeDefined();
});

test("rejects a caller when too many wait", async () => {
  const semaphore = createSemaphore({ maxConcurrent: 1, maxWaiting: 1, maxWaitMs: 60_000 });
  const first = await semaphore.acquire({ signal: never });
  const waiting = semaphore.acquire({ signal: never });
  expect(await semaphore.acquire({ signal: never })).toBeUndefined();
  first?.();
  expect(await waiting).toBeDefined();
});

test("rejects a caller that waited too long or hung up, and keeps no place for it", async () => {
  const semaphore = createSemaphore({ maxConcurrent: 1, maxWaiting: 2, maxWaitMs: 20 });
  const first = await semaphore.acquire({ signal: never });
  expect(await semaphore.acquire({ signal: never })).toBeUndefined();
  const hangUp = new AbortController();
  const gone = semaphore.acquire({ signal: hangUp.signal });
  hangUp.abort();
  expect(await gone).toBeUndefined();
  expect(await semaphore.acquire({ signal: AbortSignal.abort() })).toBeUndefined();
  first?.();
  const next = await semaphore.acquire({ signal: never });
  expect(next).toBeDefined();
  next?.();
  expect(await semaphore.acquire({ signal: never })).toBeDefined();
});

test("runs tasks in their turn, and gives the turn back where one fails", async () => {
  const semaphore = createSemaphore({ maxConcurrent: 1, maxWaiting: 1 });
  const failing = semaphore.run(() => Promise.reject(new Error("no")));
  const next = semaphore.run(async () => "done");
  expect(semaphore.waiting).toBe(1);
  await expect(semaphore.run(async () => {})).rejects.toThrow("full");
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("done");
});
