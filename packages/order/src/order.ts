/** The order as an aggregate: pure functions from an order and a fact to the next order and what its history tells. */
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { OrderState } from "./order-state.ts";
import { assertLegal } from "./order-state.ts";

/** A line of an order with name and price as they were when it was placed. */
export interface PricedItem {
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  /** Price of one unit, in minor units of the order's currency. */
  readonly unitPriceMinor: bigint;
}

interface ShortLine {
  readonly productId: string;
  readonly requested: number;
  readonly available: number;
}

/** Why an order was rejected. Stored with the order, and told to customers. */
export interface Rejection {
  readonly code: "OUT_OF_STOCK" | "PAYMENT_DECLINED";
  /** The provider's code for a declined payment; empty otherwise. */
  readonly reason: string;
  /** The lines that fell short; empty for a declined payment. */
  readonly lines: readonly ShortLine[];
}

/** An order as it was last read. `state` and `lastSequence` together identify its version: every write compares both. */
export interface StoredOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly state: OrderState;
  readonly items: readonly PricedItem[];
  readonly currencyCode: string;
  readonly totalMinor: bigint;
  readonly address: string;
  readonly paymentToken: string;
  readonly rejection: Rejection | undefined;
  readonly placedAt: Date;
  /** W3C trace id of the request that placed it. */
  readonly traceId: string;
  /** Sequence of the newest entry of its history. */
  readonly lastSequence: number;
}

/** One milestone of an order. Sequences of an order begin at 1 and have no gaps; an entry never changes once it is stored. */
export interface HistoryEntry {
  readonly orderId: string;
  readonly sequence: number;
  readonly milestone: OrderMilestone;
  readonly occurredAt: Date;
  /** The service that made it true. */
  readonly service: string;
  readonly traceId: string;
}

/** One step of an order's life: stored by compare-and-set on the state and sequence of `from`. */
export interface Transition {
  readonly from: StoredOrder;
  readonly to: StoredOrder;
  /** The new entries, contiguous after `from.lastSequence`; empty where customers need not see the step. */
  readonly history: readonly HistoryEntry[];
}

/** What happened, and when. */
export interface Happening {
  readonly milestone: OrderMilestone;
  readonly occurredAt: Date;
}

interface NewOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly items: readonly PricedItem[];
  readonly currencyCode: string;
  readonly address: string;
  readonly paymentToken: string;
  readonly traceId: string;
  readonly now: Date;
}

/** A new order in its first state; `firstEntry` is the first entry of its history. */
export function receiveOrder(input: NewOrder): StoredOrder {
  const { now, ...rest } = input;
  const order: StoredOrder = {
    ...rest,
    state: "RECEIVED",
    totalMinor: totalOf(input.items),
    rejection: undefined,
    placedAt: now,
    lastSequence: 1,
  };
  return order;
}

/** The order in its next state. Throws where the edge is not legal. */
export function advance(
  from: StoredOrder,
  state: OrderState,
  happenings: readonly Happening[] = [],
  rejection: Rejection | undefined = from.rejection,
): Transition {
  assertLegal(from.orderId, from.state, state);
  const history = happenings.map((happening, index) =>
    entry(from, from.lastSequence + 1 + index, happening),
  );
  const lastSequence = from.lastSequence + history.length;
  return { from, to: { ...from, state, rejection, lastSequence }, history };
}

/** Two steps, one right after the other, as one: stored together, or not at all. */
export function join(earlier: Transition | undefined, later: Transition): Transition {
  if (earlier === undefined) return later;
  return { from: earlier.from, to: later.to, history: [...earlier.history, ...later.history] };
}

/** The first entry of a history, as it was stored with the order. */
export function firstEntry(order: StoredOrder): HistoryEntry {
  return entry(order, 1, { milestone: OrderMilestone.RECEIVED, occurredAt: order.placedAt });
}

/** What shipping knows of a shipment. `shipped` carries the start as well, so that an order that missed `started` can catch up. */
export type ShipmentFact =
  | { readonly kind: "started"; readonly startedAt: Date }
  | { readonly kind: "shipped"; readonly startedAt: Date; readonly shippedAt: Date };

/**
 * The transition that a fact of the shipment brings about. Undefined where the order already knows it, so that a repeated or late
 * fact changes nothing; "impossible" where the order must not be shipped.
 */
export function applyShipmentFact(
  order: StoredOrder,
  fact: ShipmentFact,
): Transition | undefined | "impossible" {
  const started = happening(OrderMilestone.SHIPPING_STARTED, fact.startedAt);
  switch (order.state) {
    case "SHIPPED":
      return undefined;
    case "SHIPPING":
      if (fact.kind === "started") return undefined;
      return advance(order, "SHIPPED", [happening(OrderMilestone.SHIPPED, fact.shippedAt)]);
    case "CONFIRMED":
    case "CANCEL_REQUESTED":
      if (fact.kind === "started") return advance(order, "SHIPPING", [started]);
      return advance(order, "SHIPPED", [
        started,
        happening(OrderMilestone.SHIPPED, fact.shippedAt),
      ]);
    default:
      return "impossible";
  }
}

function happening(milestone: OrderMilestone, occurredAt: Date): Happening {
  return { milestone, occurredAt };
}

function entry(order: StoredOrder, sequence: number, what: Happening): HistoryEntry {
  const service = serviceOf(what.milestone);
  return { orderId: order.orderId, sequence, service, traceId: order.traceId, ...what };
}

/** Which service makes a milestone true. */
export function serviceOf(milestone: OrderMilestone): string {
  switch (milestone) {
    case OrderMilestone.STOCK_RESERVED:
    case OrderMilestone.OUT_OF_STOCK:
      return "inventory";
    case OrderMilestone.PAYMENT_CONFIRMED:
    case OrderMilestone.PAYMENT_DECLINED:
    case OrderMilestone.REFUNDED:
      return "payment";
    case OrderMilestone.SHIPPING_STARTED:
    case OrderMilestone.SHIPPED:
      return "shipping";
    default:
      return "order";
  }
}

function totalOf(items: readonly PricedItem[]): bigint {
  return items.reduce((sum, item) => sum + item.unitPriceMinor * BigInt(item.quantity), 0n);
}
