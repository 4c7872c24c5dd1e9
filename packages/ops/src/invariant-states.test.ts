import { expect, test } from "vitest";
import { InvariantState } from "@smartcart/gen/ops/v1/invariant_pb";
import type { Invariant, Violation } from "@smartcart/reconciler";
import { createInvariantStates } from "./invariant-states.ts";

const hold: Invariant = { name: "hold", description: "No hold.", sql: "", repair: "release" };
const money: Invariant = { name: "money", description: "No loss.", sql: "" };

function violation(invariant: Invariant, ...orderIds: string[]): Violation {
  return { invariant, rows: orderIds.map((order_id) => ({ order_id })) };
}

function createBoard() {
  const board = createInvariantStates([hold, money], { brokenAfterMs: 20_000 });
  return { ...board, states: () => board.invariants().map(({ state }) => state) };
}

test("nothing is said before the first look", () => {
  const { invariants, states } = createBoard();
  expect(states()).toEqual([InvariantState.UNSPECIFIED, InvariantState.UNSPECIFIED]);
  expect(invariants()[0]).toMatchObject({
    name: "hold",
    description: "No hold.",
    isRepairable: true,
  });
  expect(invariants()[0]).not.toHaveProperty("checkedAt");
});

test("a contradiction is unsettled until it has stood for long enough", () => {
  const { look, states, invariants, broken } = createBoard();
  look([violation(hold, "ORD-1")], 1_000);
  expect(states()).toEqual([InvariantState.PENDING, InvariantState.HOLDS]);
  expect(broken()).toEqual([]);
  look([violation(hold, "ORD-2", "ORD-1")], 21_000);
  expect(states()).toEqual([InvariantState.VIOLATED, InvariantState.HOLDS]);
  // The one that stands is shown first, and it alone is repaired.
  expect(invariants()[0]).toMatchObject({
    rowCount: 2n,
    rowsJson: ['{"order_id":"ORD-1"}', '{"order_id":"ORD-2"}'],
  });
  expect(broken()).toEqual([violation(hold, "ORD-1")]);
  look([], 31_000);
  expect(states()).toEqual([InvariantState.HOLDS, InvariantState.HOLDS]);
});

test("rows that come and go break nothing, however many there always are", () => {
  const { look, states } = createBoard();
  for (let at = 0; at < 10; at++) look([violation(money, `ORD-${at}`)], at * 10_000);
  expect(states()).toEqual([InvariantState.HOLDS, InvariantState.PENDING]);
});

test("of many rows ten are shown", () => {
  const { look, invariants } = createBoard();
  look([violation(money, ...Array.from({ length: 12 }, (_, at) => `ORD-${at}`))], 0);
  expect(invariants()[1]).toMatchObject({ rowCount: 12n });
  expect(invariants()[1]?.rowsJson).toHaveLength(10);
});
