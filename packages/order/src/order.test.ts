import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { ShipmentFact, StoredOrder } from "./order.ts";
import { advance, applyShipmentFact, receiveOrder } from "./order.ts";
import { orderStates } from "./order-state.ts";

const now = new Date("2026-01-02T03:04:05Z");

function anOrder(state: StoredOrder["state"] = "RECEIVED"): StoredOrder {
  const order = receiveOrder({
    orderId: "ORD-1",
    userId: "u1",
    items: [
      { productId: "tea", name: "Tea", quantity: 3, unitPriceMinor: 450n },
      { productId: "pot", name: "Pot", quantity: 1, unitPriceMinor: 2_999n },
    ],
    currencyCode: "USD",
    address: "1 Main St",
    paymentToken: "tok_visa",
    traceId: "",
    now,
  });
  return { ...order, state };
}

const started: ShipmentFact = { kind: "started", startedAt: now };
const shipped: ShipmentFact = { kind: "shipped", startedAt: now, shippedAt: now };

describe("an order", () => {
  it("costs the sum of its lines", () => {
    expect(anOrder().totalMinor).toBe(4_349n);
  });

  it("numbers its history without a gap", () => {
    const step = advance(anOrder("CONFIRMED"), "SHIPPED", [
      { milestone: OrderMilestone.SHIPPING_STARTED, occurredAt: now },
      { milestone: OrderMilestone.SHIPPED, occurredAt: now },
    ]);
    expect(step.history.map((entry) => entry.sequence)).toEqual([2, 3]);
    expect(step.to.lastSequence).toBe(3);
  });
});

describe("applying the shipment's facts", () => {
  const facts = fc.array(fc.constantFrom(started, shipped), { maxLength: 8 });

  it("tells each milestone once and in order, whatever is repeated, late or missing", () => {
    fc.assert(
      fc.property(facts, (received) => {
        let order = anOrder("CONFIRMED");
        const told: OrderMilestone[] = [];
        for (const fact of received) {
          const step = applyShipmentFact(order, fact);
          if (step === undefined || step === "impossible") continue;
          told.push(...step.history.map((entry) => entry.milestone));
          order = step.to;
        }
        const whole = [OrderMilestone.SHIPPING_STARTED, OrderMilestone.SHIPPED];
        expect(told).toEqual(whole.slice(0, told.length));
        expect(order.state === "SHIPPED").toBe(received.includes(shipped));
      }),
    );
  });

  it("is impossible for an order that must not be shipped", () => {
    const states = ["CONFIRMED", "CANCEL_REQUESTED", "SHIPPING", "SHIPPED"];
    for (const state of orderStates.filter((candidate) => !states.includes(candidate))) {
      expect(applyShipmentFact(anOrder(state), started), state).toBe("impossible");
    }
  });
});
