import { expect, test } from "vitest";
import { createOrderBook, createSchedule, milestones, orderIdOf, orderOf } from "./order-book.ts";

test("an order's number can be read from its id", () => {
  expect(orderIdOf(12_345)).toMatch(/^ORD-\d{26}$/);
  expect(orderOf(orderIdOf(12_345))).toBe(12_345);
  expect(orderOf("ORD-1")).toBeNaN();
});

test("users take turns at ordering, and each has one order at the beginning", () => {
  const book = createOrderBook(3);
  expect(book.newestOf(2, 20)).toEqual([2]);
  expect(book.newestOf(3, 20)).toEqual([]);
  expect(book.lastSequence(2)).toBe(6);
  for (const order of [3, 4, 3, 5, 6, 7]) book.advance(order);
  expect(book.newestOf(0, 20)).toEqual([6, 3, 0]);
  expect(book.newestOf(1, 2)).toEqual([7, 4]);
  expect(book.newestOf(2, 20)).toEqual([5, 2]);
  expect(book.lastSequence(3)).toBe(2);
  expect(book.lastSequence(8)).toBe(0);
});

test("every order gets its statuses in order, at the rate asked for, however seldom it is looked", () => {
  const schedule = createSchedule({ rate: 100, seconds: 2, gapMs: 100 });
  const sequences = new Map<number, number>();
  let sent = 0;
  for (const elapsedMs of [0, 5, 10, 1_000, 1_050, 5_000]) {
    for (const order of schedule.due(elapsedMs)) {
      sequences.set(order, (sequences.get(order) ?? 0) + 1);
      sent += 1;
    }
    if (elapsedMs === 10) expect(sequences).toEqual(new Map([[0, 1]]));
    if (elapsedMs === 1_000) {
      expect(sequences.get(0)).toBe(6);
      expect(sequences.get(95)).toBe(1);
      expect(schedule.isOver()).toBe(false);
    }
  }
  expect(schedule.isOver()).toBe(true);
  expect(sent).toBe(200 * milestones.length);
  expect(schedule.due(9_000)).toEqual([]);
});
