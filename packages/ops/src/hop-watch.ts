/** The hops of orders along the edges of the map, derived from the status events. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { EventBus } from "@smartcart/bus";
import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderStatusesChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Logger } from "@smartcart/runtime";
import { delay } from "@smartcart/runtime";
import type { Attention } from "./attention.ts";

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

/** Subscribed to the status events only while a console is open; hops of the time before are not shown. */
export interface HopWatch extends AsyncDisposable {
  /** The hops since the last call, oldest first: of too many the latest. */
  take(): Hop[];
}

/** Hops that wait for the next snapshot, which shows no more. */
const maxHops = 100;
/** Pause after the queue refused the subscription, in milliseconds. */
const retryPauseMs = 2_000;

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

/** Subscribes to the status events while a console is open. */
export function startHopWatch(o: {
  readonly bus: EventBus;
  readonly log: Logger;
  readonly attention: Attention;
}): HopWatch {
  const stop = new AbortController();
  let hops: Hop[] = [];

  const subscribe = () =>
    o.bus.subscribe(OrderStatusesChangedSchema, {
      name: "ops",
      log: o.log,
      onEvents(events) {
        const latest = events.flatMap(({ changes }) => changes.flatMap(hopsOf));
        hops = [...hops, ...latest].slice(-maxHops);
      },
      // A hop that is missed is only not drawn.
      onGap: () => {},
    });

  async function watch(): Promise<void> {
    while (!stop.signal.aborted) {
      await o.attention.untilAwake(stop.signal);
      if (stop.signal.aborted) return;
      try {
        await using _ = await subscribe();
        await aborted(AbortSignal.any([stop.signal, o.attention.asleep()]));
      } catch (error) {
        o.log.warn("ops.hops_failed", { error });
        // Only the end of the service rejects the pause.
        await delay(retryPauseMs, stop.signal).catch(() => {});
      }
      hops = [];
    }
  }
  const watching = watch();

  return {
    take() {
      const taken = hops;
      hops = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await watching;
    },
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
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
