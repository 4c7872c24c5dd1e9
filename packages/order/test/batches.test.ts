/** Writes of many callers in one statement: what one of them brings is never another one's trouble. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { propertyOptions } from "@smartcart/testkit";
import type { StoredOrder } from "../src/order.ts";
import { advance } from "../src/order.ts";
import { eventsOf } from "../src/order-view.ts";
import type { Advancement } from "../src/store/advance-orders.ts";
import { advanceOrders } from "../src/store/advance-orders.ts";
import { publishedOf, setUp } from "./setup.ts";

let service: Awaited<ReturnType<typeof setUp>>;
beforeAll(async () => {
  service = await setUp();
  service.world.stock = 1_000_000;
});
afterAll(() => service[Symbol.asyncDispose]());

const patience = { timeout: 20_000 };

async function stored(orderId: string): Promise<StoredOrder> {
  const order = await service.repository.find(orderId);
  if (order === undefined) throw new Error(`no order ${orderId}`);
  return order;
}

describe("one order, asked for twice at the same time", () => {
  it("is cancelled once, and no stranger in the batch notices", patience, async () => {
    const placed = await Promise.all(
      Array.from({ length: 12 }, (_, index) => service.place({ userId: `twice-${index}` })),
    );
    const ids = placed.map(({ order }) => order.orderId);
    service.world.calls.length = 0;
    const strangers = Array.from({ length: 20 }, () => service.place({ userId: "stranger" }));
    const cancelled = await Promise.all(
      ids.flatMap((orderId) => [service.cancel(orderId), service.cancel(orderId)]),
    );
    await Promise.all(strangers);
    expect(cancelled.map(({ state }) => state)).toEqual(
      ids.flatMap(() => Array(2).fill("CANCELLED")),
    );
    // A write that fails with its batch makes its step be done again.
    const calls = Object.groupBy(service.world.calls, (call) => call);
    for (const call of ["reserve", "processPayment", "commitReservation"] as const) {
      expect(calls[call], call).toHaveLength(20);
    }
    for (const call of ["cancelShipment", "refundPayment", "releaseReservation"] as const) {
      expect(calls[call], call).toHaveLength(12);
    }
    for (const orderId of ids) {
      expect((await service.history(orderId)).slice(-2)).toEqual([
        OrderMilestone.CANCELLED,
        OrderMilestone.REFUNDED,
      ]);
      expect(service.world.refunds.get(orderId)).toBe(1);
    }
  });

  it("is driven by one driver, who also does what came up meanwhile", async () => {
    const { order } = await service.place({ userId: "joined" });
    const before = service.world.calls.length;
    const confirmed = await stored(order.orderId);
    const requested = advance(confirmed, "CANCEL_REQUESTED");
    await service.repository.advance({ transition: requested, events: [], answer: undefined });
    const ends = await Promise.all([
      // This one knows nothing of the cancellation, and has nothing to do.
      service.saga.drive(confirmed),
      service.saga.drive(requested.to),
      service.saga.drive(requested.to),
    ]);
    expect(ends.map(({ state }) => state).slice(1)).toEqual(["CANCELLED", "CANCELLED"]);
    expect(service.world.calls.slice(before)).toEqual([
      "cancelShipment",
      "refundPayment",
      "releaseReservation",
    ]);
  });
});

/** What is put into one statement: transitions of few orders, some of them of a state that is over. */
const batches = fc.array(
  fc.record({
    order: fc.nat(3),
    to: fc.constantFrom("CANCEL_REQUESTED" as const, "SHIPPING" as const, "SHIPPED" as const),
    isStale: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

describe("a statement with several transitions of one order", () => {
  it(
    "stores the first of each, says which, and stores nothing of the others",
    patience,
    async () => {
      await fc.assert(
        fc.asyncProperty(batches, async (batch) => {
          const placed = await Promise.all(
            Array.from({ length: 4 }, () => service.place({ userId: "batch" })),
          );
          const orders = await Promise.all(placed.map(({ order }) => stored(order.orderId)));
          const advancements = batch.map(({ order, to, isStale }): Advancement => {
            const from = orders[order] as StoredOrder;
            const seen = isStale ? { ...from, lastSequence: from.lastSequence - 1 } : from;
            const happening = {
              milestone:
                to === "SHIPPED" ? OrderMilestone.SHIPPED : OrderMilestone.SHIPPING_STARTED,
              occurredAt: new Date(),
            };
            const transition = advance(seen, to, to === "CANCEL_REQUESTED" ? [] : [happening]);
            return { transition, events: eventsOf(transition, ""), answer: undefined };
          });
          const moved = await advanceOrders(service.database, advancements, 1_000);

          const firsts = batch.map(
            ({ order }, index) => batch.findIndex((b) => b.order === order) === index,
          );
          expect(moved).toEqual(batch.map(({ isStale }, index) => !isStale && firsts[index]));
          for (const [index, before] of orders.entries()) {
            const won = advancements.find(
              (_, n) => moved[n] && batch[n]?.order === index,
            )?.transition;
            const after = await stored(before.orderId);
            expect(after).toEqual(won?.to ?? before);
            const history = await service.history(before.orderId);
            expect(history).toHaveLength(after.lastSequence);
            expect(history.slice(before.lastSequence)).toEqual(
              (won?.history ?? []).map(({ milestone }) => milestone),
            );
            expect(await publishedOf(service.database, before.orderId)).toHaveLength(
              5 + (won?.history.length ?? 0),
            );
          }
        }),
        propertyOptions({ numRuns: 60 }),
      );
    },
  );
});
