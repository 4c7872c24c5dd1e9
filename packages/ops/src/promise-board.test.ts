import { expect, test } from "vitest";
import { PromiseState } from "@smartcart/gen/ops/v1/promise_pb";
import type { Invariant, Violation } from "@smartcart/reconciler";
import { createPromiseBoard } from "./promise-board.ts";

const hold: Invariant = { name: "hold", promise: "No hold.", sql: "", repair: "release" };
const money: Invariant = { name: "money", promise: "No loss.", sql: "" };

function violation(invariant: Invariant, ...orderIds: string[]): Violation {
  return { invariant, rows: orderIds.map((order_id) => ({ order_id })) };
}

function createBoard() {
  const board = createPromiseBoard([hold, money], { brokenAfterMs: 20_000 });
  return { ...board, states: () => board.promises().map(({ state }) => state) };
}

test("nothing is said before the first look", () => {
  const { promises, states } = createBoard();
  expect(states()).toEqual([PromiseState.UNSPECIFIED, PromiseState.UNSPECIFIED]);
  expect(promises()[0]).toMatchObject({ name: "hold", sentence: "No hold.", isRepairable: true });
  expect(promises()[0]).not.toHaveProperty("checkedAt");
});

test("a contradiction is unsettled until it has stood for long enough", () => {
  const { look, states, promises, broken } = createBoard();
  look([violation(hold, "ORD-1")], 1_000);
  expect(states()).toEqual([PromiseState.UNSETTLED, PromiseState.KEPT]);
  expect(broken()).toEqual([]);
  look([violation(hold, "ORD-2", "ORD-1")], 21_000);
  expect(states()).toEqual([PromiseState.BROKEN, PromiseState.KEPT]);
  // The one that stands is shown first, and it alone is repaired.
  expect(promises()[0]).toMatchObject({
    rowCount: 2n,
    rowsJson: ['{"order_id":"ORD-1"}', '{"order_id":"ORD-2"}'],
  });
  expect(broken()).toEqual([violation(hold, "ORD-1")]);
  look([], 31_000);
  expect(states()).toEqual([PromiseState.KEPT, PromiseState.KEPT]);
});

test("rows that come and go break nothing, however many there always are", () => {
  const { look, states } = createBoard();
  for (let at = 0; at < 10; at++) look([violation(money, `ORD-${at}`)], at * 10_000);
  expect(states()).toEqual([PromiseState.KEPT, PromiseState.UNSETTLED]);
});

test("of many rows ten are shown", () => {
  const { look, promises } = createBoard();
  look([violation(money, ...Array.from({ length: 12 }, (_, at) => `ORD-${at}`))], 0);
  expect(promises()[1]).toMatchObject({ rowCount: 12n });
  expect(promises()[1]?.rowsJson).toHaveLength(10);
});
