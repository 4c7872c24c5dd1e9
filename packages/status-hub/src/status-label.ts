import { getOption } from "@bufbuild/protobuf";
import { label } from "@smartcart/gen/mesh/v1/options_pb";
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";

const labels = new Map<number, string>(
  OrderMilestoneSchema.values.map((value) => [value.number, getOption(value, label) || value.name]),
);

/** A milestone as people read it, by the option `label` of the contract: "Payment Confirmed". */
export function statusLabel(milestone: OrderMilestone): string {
  // A newer order service may know milestones that this hub does not.
  return labels.get(milestone) ?? `Milestone ${milestone}`;
}
