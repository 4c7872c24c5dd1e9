import { expect, test } from "vitest";
import { createSemaphore } from "./semaphore.ts";

const never = new AbortController();

test("lets so many in at once, the others in the order of their coming", async () => {
  const turns = createSemaphore({ atOnce: 2, waiting: 10, waitMs: 60_000 });
  const order: number[] = [];
  const enter = async (call: number) => {
    const leave = await turns.enter(never);
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

test("gives a turn to one who comes later only when nobody waits", async () => {
  const turns = createSemaphore({ atOnce: 1, waiting: 10, waitMs: 60_000 });
  const first = await turns.enter(never);
  const waiting = turns.enter(never);
  first?.();
  const late = turns.enter(never);
  (await waiting)?.();
  expect(await late).toBeDefined();
});

test("turns away who finds the line full", async () => {
  const turns = createSemaphore({ atOnce: 1, waiting: 1, waitMs: 60_000 });
  const first = await turns.enter(never);
  const waiting = turns.enter(never);
  expect(await turns.enter(never)).toBeUndefined();
  first?.();
  expect(await waiting).toBeDefined();
});

test("turns away who waited too long or hung up, and keeps their place for nobody", async () => {
  const turns = createSemaphore({ atOnce: 1, waiting: 2, waitMs: 20 });
  const first = await turns.enter(never);
  expect(await turns.enter(never)).toBeUndefined();
  const hangUp = new AbortController();
  const gone = turns.enter(hangUp);
  hangUp.abort();
  expect(await gone).toBeUndefined();
  expect(await turns.enter({ signal: AbortSignal.abort() })).toBeUndefined();
  first?.();
  const next = await turns.enter(never);
  expect(next).toBeDefined();
  next?.();
  expect(await turns.enter(never)).toBeDefined();
});
