/** Cancelling: before the shipment begins it undoes everything; in a race with it, one of the two wins and all agree. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConsoleClient } from "./console-client.ts";
import { expectConsistent, rowsOf } from "./invariants.ts";
import { startServices } from "./services.ts";
import { cancelledLife, seedBody, startStack, wholeLife } from "./stack.ts";

describe("before the shipment begins", () => {
  it("pays back, puts back, and nothing is shipped even though the event comes later", async () => {
    // As long as nothing is relayed, shipping does not know of the order.
    await using shop = await startServices({ without: ["notification"] });
    const { body } = await shop.place({ ...seedBody, userId: "fickle" });
    const before = await shop.available("espresso-beans");

    const { status, body: cancelled } = await shop.post(`/orders/${body.orderId}/cancel`);
    expect([status, cancelled.status]).toEqual([200, "CANCELLED"]);
    expect(await shop.history(body.orderId, "Refunded")).toEqual(cancelledLife);
    expect((await shop.payment(body.orderId)).status).toBe("PAYMENT_STATUS_REFUNDED");
    expect(await shop.available("espresso-beans")).toBe(before + 1);

    const again = await shop.post(`/orders/${body.orderId}/cancel`);
    expect([again.status, again.text]).toEqual([200, JSON.stringify(cancelled)]);

    await using client = await shop.follow({ userId: "fickle" });
    await shop.start("notification");
    const next = (await shop.place(seedBody)).body;
    expect(await shop.history(next.orderId, "Shipped")).toEqual(wholeLife);
    expect((await client.until("Refunded")).map((frame) => frame.status)).toEqual(cancelledLife);
    await expectConsistent(shop.databaseUrl);
  });
});

describe("in a race with the shipment", () => {
  const orders = 120;
  /** Time from the order's confirmation to its cancellation: from at once to about when it is shipped. */
  const longestMs = 300;
  /** So many are cancelled while nothing is shipped, and so many when they are shipped: whatever the machine's pace, there are both. */
  const certain = 10;
  let shop: Awaited<ReturnType<typeof startStack>>;
  beforeAll(async () => {
    shop = await startStack({ env: { SHIPPING_DELAY_MS: "0", SHIPPING_POLL_MS: "20" } });
  });
  afterAll(() => shop?.[Symbol.asyncDispose]());

  it("each order is either cancelled or shipped, and stock, money and parcels agree", async () => {
    const race = async (index: number) => {
      await delay((index % 12) * 50);
      const placed = await shop.place({ ...seedBody, userId: `racer-${index}` });
      expect(placed.status).toBe(201);
      const { orderId } = placed.body;
      if (index < orders - certain) await delay((longestMs * index) / orders);
      else await shop.history(orderId, "Shipped");
      const { status, body } = await shop.post(`/orders/${orderId}/cancel`);
      return { orderId, answer: status === 200 ? body.status : body.code };
    };
    const indexes = Array.from({ length: orders }, (_, index) => index);
    const operator = createConsoleClient(shop.urls.ops ?? "");
    await operator.turn("shipping", "stop", 1);
    const early = await Promise.all(indexes.slice(0, certain).map(race));
    expect(early.map(({ answer }) => answer)).toEqual(early.map(() => "CANCELLED"));
    await operator.turn("shipping", "stop", 0);
    const outcomes = [...early, ...(await Promise.all(indexes.slice(certain).map(race)))];
    await expectConsistent(shop.databaseUrl);

    const cancelled = outcomes.filter(({ answer }) => answer === "CANCELLED");
    const tooLate = outcomes.filter(({ answer }) => answer === "ORDER_ALREADY_SHIPPING");
    expect(cancelled.length + tooLate.length).toBe(orders);
    expect(Math.min(cancelled.length, tooLate.length)).toBeGreaterThanOrEqual(certain);

    const states = await rowsOf<{ order_id: string; state: string; refunds: number }>(
      shop.databaseUrl,
      `select o.order_id, o.state, count(l.*)::int as refunds from orders.orders o
       left join payment_provider.ledger_entry l on l.charge_id = o.order_id and l.kind = 'refund'
       group by o.order_id`,
    );
    const byId = new Map(states.map((row) => [row.order_id, row]));
    for (const { orderId } of cancelled) {
      expect(byId.get(orderId)).toMatchObject({ state: "CANCELLED", refunds: 1 });
    }
    for (const { orderId } of tooLate) {
      expect(byId.get(orderId)).toMatchObject({ state: "SHIPPED", refunds: 0 });
    }
  });

  it("several cancellations of one order at once pay back once", async () => {
    const { body } = await shop.place(seedBody);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => shop.post(`/orders/${body.orderId}/cancel`)),
    );
    expect(new Set(answers.map(({ status }) => status)).size).toBe(1);
    await expectConsistent(shop.databaseUrl);
  });
});
