import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { OrderStatusChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone, OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";
import { hopsOf } from "./hop-watch.ts";

const hops = (milestone: OrderMilestone) =>
  hopsOf(create(OrderStatusChangedSchema, { orderId: "ORD-1", milestone }));

test("each milestone has a way through the services, and goes to the status hub", () => {
  const milestones = OrderMilestoneSchema.values.map(({ number }) => number as OrderMilestone);
  for (const milestone of milestones.filter((one) => one !== OrderMilestone.UNSPECIFIED)) {
    const ways = hops(milestone).map(({ from, to }) => `${from}→${to}`);
    expect(ways.length).toBeGreaterThan(1);
    expect(ways.at(-1)).toBe("queue→status-hub");
  }
});

test("a refused order fails at the service that refused it", () => {
  expect(hops(OrderMilestone.OUT_OF_STOCK)[0]).toMatchObject({ to: "inventory", failed: true });
  expect(hops(OrderMilestone.PAYMENT_DECLINED)[0]).toMatchObject({ to: "payment", failed: true });
  expect(hops(OrderMilestone.PAYMENT_CONFIRMED)[0]).toMatchObject({ to: "payment", failed: false });
});
