import { getOption } from "@bufbuild/protobuf";
import { label } from "@smartcart/gen/mesh/v1/options_pb";
import { OrderMilestone, OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Timeline } from "./timeline.ts";

/** The names of the steps on the way through, in order. They stand in the contract; there is no second list. */
const happyPath: readonly string[] = [
  OrderMilestone.RECEIVED,
  OrderMilestone.STOCK_RESERVED,
  OrderMilestone.PAYMENT_CONFIRMED,
  OrderMilestone.CONFIRMED,
  OrderMilestone.SHIPPING_STARTED,
  OrderMilestone.SHIPPED,
].map(nameOf);

/** Colour of a status. */
export type Tone = "good" | "bad" | "neutral";

const badEnds: ReadonlySet<string> = new Set(
  [OrderMilestone.OUT_OF_STOCK, OrderMilestone.PAYMENT_DECLINED].map(nameOf),
);

export function toneOf(status: string): Tone {
  if (badEnds.has(status)) return "bad";
  return happyPath.includes(status) ? "good" : "neutral";
}

const paid = nameOf(OrderMilestone.PAYMENT_CONFIRMED);
const refunded = nameOf(OrderMilestone.REFUNDED);
const ends: ReadonlySet<string> = new Set([nameOf(OrderMilestone.SHIPPED), refunded, ...badEnds]);

/** Whether nothing will ever follow. What was paid for an order that ended otherwise than shipped is given back first. */
export function isComplete({ entries }: Timeline): boolean {
  const last = entries.at(-1)?.status ?? "";
  if (!ends.has(last)) return false;
  return !badEnds.has(last) || !entries.some(({ status }) => status === paid);
}

/** Whether money was taken and given back. */
export function wasRefunded({ entries }: Timeline): boolean {
  return entries.some(({ status }) => status === refunded);
}

/** The steps that are still to come; none where the order left the way through. */
export function stepsAhead(timeline: Timeline): readonly string[] {
  if (timeline.entries.some((entry) => !happyPath.includes(entry.status))) return [];
  const done = new Set(timeline.entries.map((entry) => entry.status));
  return happyPath.filter((status) => !done.has(status));
}

function nameOf(milestone: OrderMilestone): string {
  const value = OrderMilestoneSchema.value[milestone];
  return value ? getOption(value, label) : "";
}
