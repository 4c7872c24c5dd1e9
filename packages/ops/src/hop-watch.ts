/** The hops of orders along the edges of the map, told by the statuses that are published anyway. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { EventBus, RunningConsumer } from "@smartcart/bus";
import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderStatusesChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Logger } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";

/** A step of one order from one service to another. */
export interface Hop {
  readonly orderId: string;
  /** A service, "client" or "queue". */
  readonly from: string;
  /** A service, or "queue". */
  readonly to: string;
  readonly passedAt: Timestamp | undefined;
  /** Whether the order failed there. */
  readonly failed: boolean;
}

export interface HopWatch extends AsyncDisposable {
  /** The hops since the last call, oldest first: of too many the latest. */
  take(): Hop[];
}

/** Hops that wait for the next snapshot, which shows no more. */
const maxHops = 100;
/** How often it is looked whether somebody watches. */
const watchedMs = 1_000;

/** Where an order went to reach a milestone. */
const ways: Readonly<Partial<Record<OrderMilestone, readonly [from: string, to: string][]>>> = {
  [OrderMilestone.RECEIVED]: [["client", "order"]],
  [OrderMilestone.STOCK_RESERVED]: [["order", "inventory"]],
  [OrderMilestone.OUT_OF_STOCK]: [["order", "inventory"]],
  [OrderMilestone.PAYMENT_CONFIRMED]: [["order", "payment"]],
  [OrderMilestone.PAYMENT_DECLINED]: [["order", "payment"]],
  [OrderMilestone.CONFIRMED]: [["notification", "queue"]],
  [OrderMilestone.SHIPPING_STARTED]: [
    ["queue", "shipping"],
    ["shipping", "queue"],
    ["queue", "order"],
  ],
  [OrderMilestone.SHIPPED]: [
    ["shipping", "queue"],
    ["queue", "order"],
  ],
  [OrderMilestone.CANCELLED]: [["client", "order"]],
  [OrderMilestone.REFUNDED]: [["order", "payment"]],
};
const failures: ReadonlySet<OrderMilestone> = new Set([
  OrderMilestone.OUT_OF_STOCK,
  OrderMilestone.PAYMENT_DECLINED,
]);

/** Subscribes to the statuses while somebody watches, and only then. */
export function startHopWatch(o: {
  readonly bus: EventBus;
  readonly log: Logger;
  readonly isWatched: () => boolean;
}): HopWatch {
  let hops: Hop[] = [];
  let subscription: RunningConsumer | undefined;

  const timer = startTimer({
    name: "ops.hops",
    intervalMs: watchedMs,
    log: o.log,
    async run() {
      if (o.isWatched() === (subscription !== undefined)) return;
      if (subscription !== undefined) {
        await subscription[Symbol.asyncDispose]();
        subscription = undefined;
        hops = [];
        return;
      }
      subscription = await o.bus.subscribe(OrderStatusesChangedSchema, {
        name: "ops",
        log: o.log,
        onEvents(events) {
          const latest = events.flatMap(({ changes }) => changes.flatMap(hopsOf));
          hops = [...hops, ...latest].slice(-maxHops);
        },
        // A hop that is missed is only not drawn.
        onGap: () => {},
      });
    },
  });

  return {
    take() {
      const taken = hops;
      hops = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await timer[Symbol.asyncDispose]();
      await subscription?.[Symbol.asyncDispose]();
    },
  };
}

/** The hops behind a status; each status also goes to the status hub. */
export function hopsOf({ orderId, milestone, occurredAt }: OrderStatusChanged): Hop[] {
  const failed = failures.has(milestone);
  const own = (ways[milestone] ?? []).map(([from, to]) => ({ from, to, failed }));
  return [...own, { from: "queue", to: "status-hub", failed: false }].map((way) => ({
    ...way,
    orderId,
    passedAt: occurredAt,
  }));
}
