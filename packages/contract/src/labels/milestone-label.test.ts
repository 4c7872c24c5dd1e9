import { expect, test } from "vitest";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { milestoneLabel } from "./milestone-label.ts";

test("every milestone has the name that the contract gives it", () => {
  const names = Object.values(OrderMilestone).filter((value) => value !== 0);
  expect(names.map((value) => milestoneLabel(value))).toEqual([
    "Order Received",
    "Stock Reserved",
    "Payment Confirmed",
    "Order Confirmed",
    "Shipping Started",
    "Shipped",
    "Out of Stock",
    "Payment Declined",
    "Cancelled",
    "Refunded",
  ]);
});

test("a milestone of a newer contract has its number", () => {
  expect(milestoneLabel(99 as OrderMilestone)).toBe("Milestone 99");
});
