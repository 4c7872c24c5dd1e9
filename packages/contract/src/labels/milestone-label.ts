import { getOption } from "@bufbuild/protobuf";
import { label } from "@smartcart/gen/mesh/v1/options_pb";
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";

const labels = new Map<number, string>(
  OrderMilestoneSchema.values.map((value) => [value.number, getOption(value, label) || value.name]),
);

/** A milestone as people read it, by `smartcart.mesh.v1.label`: "Payment Confirmed". "Milestone 99" for one of a newer contract. */
export function milestoneLabel(milestone: OrderMilestone): string {
  return labels.get(milestone) ?? `Milestone ${milestone}`;
}
