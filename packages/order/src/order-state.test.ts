import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Order_Status } from "@smartcart/gen/order/v1/order_pb";
import type { OrderState } from "./order-state.ts";
import {
  assertLegal,
  isFinal,
  isSagaPending,
  legalEdges,
  orderStates,
  publicStatus,
} from "./order-state.ts";

const migration = readFileSync(
  new URL("../migrations/0007_history-in-the-order.sql", import.meta.url),
  "utf8",
);

function reachableFrom(state: OrderState): Set<OrderState> {
  const reached = new Set<OrderState>([state]);
  for (const next of reached) for (const further of legalEdges[next]) reached.add(further);
  return reached;
}

describe("the order's states", () => {
  it("all lie on a way from RECEIVED", () => {
    expect([...reachableFrom("RECEIVED")].sort()).toEqual([...orderStates].sort());
  });

  it.each(orderStates)("%s leads to a final state", (state) => {
    expect([...reachableFrom(state)].some(isFinal)).toBe(true);
  });

  it("end only as SHIPPED, REJECTED or CANCELLED, and none of these needs the saga", () => {
    expect(orderStates.filter(isFinal)).toEqual(["SHIPPED", "REJECTED", "CANCELLED"]);
    expect(orderStates.filter(isFinal).some(isSagaPending)).toBe(false);
  });

  it("never take an outcome back that a customer has seen", () => {
    const decided = orderStates.filter((state) => publicStatus(state) === Order_Status.REJECTED);
    for (const state of decided) {
      const outcomes = new Set([...reachableFrom(state)].map(publicStatus));
      expect([...outcomes], state).toEqual([Order_Status.REJECTED]);
    }
  });

  it("refuse every edge that is not in the table", () => {
    for (const from of orderStates) {
      for (const to of orderStates.filter((state) => !legalEdges[from].includes(state))) {
        expect(() => assertLegal("ORD-1", from, to), `${from} to ${to}`).toThrow("ORD-1");
      }
    }
  });

  it("are those of the table's check constraint and of the resumer's index", () => {
    const [check = "", index = ""] = [...migration.matchAll(/state in \(([^)]*)\)/g)].map(
      (match) => match[1],
    );
    const names = (list: string) => [...list.matchAll(/'(\w+)'/g)].map((match) => match[1]);
    expect(names(check)).toEqual([...orderStates]);
    expect(names(index)).toEqual(orderStates.filter(isSagaPending));
  });
});
