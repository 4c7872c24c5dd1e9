/** The queries that the other tests trust: each of them notices what it is there for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contradictions, expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, startStack } from "./stack.ts";

/** Something broken by hand, how it is mended again, and the words of the invariant that has to notice. */
interface Breakage {
  readonly what: string;
  readonly broken: string;
  readonly mended: string;
  readonly noticedBy: RegExp;
}

const setStock = (set: string) =>
  `update inventory.stock set ${set} where product_id = 'espresso-beans'`;

const breakages: readonly Breakage[] = [
  {
    what: "an order that is stuck",
    broken: "update orders.orders set state = 'PAID'",
    mended: "update orders.orders set state = 'SHIPPED'",
    noticedBy: /come to its end/,
  },
  {
    what: "a gap in a history",
    broken: "update orders.order_events set sequence = 7 where sequence = 6",
    mended: "update orders.order_events set sequence = 6 where sequence = 7",
    noticedBy: /contiguous/,
  },
  {
    what: "a history that cannot be",
    broken: "update orders.order_events set milestone = 7 where sequence = 6",
    mended: "update orders.order_events set milestone = 6 where sequence = 6",
    noticedBy: /contiguous/,
  },
  {
    what: "a unit that is set aside for nobody",
    broken: setStock("available = available - 1, held = held + 1"),
    mended: setStock("available = available + 1, held = held - 1"),
    noticedBy: /set aside/,
  },
  {
    what: "a unit that is sold to nobody",
    broken: setStock("available = available - 1, committed = committed + 1"),
    mended: setStock("available = available + 1, committed = committed - 1"),
    noticedBy: /what is sold/,
  },
  {
    what: "a refund of a shipped order",
    broken: `insert into payment_provider.ledger_entry (charge_id, kind, currency_code, amount_minor)
      select charge_id, 'refund', currency_code, amount_minor from payment_provider.ledger_entry`,
    mended: "delete from payment_provider.ledger_entry where kind = 'refund'",
    noticedBy: /has paid its total/,
  },
  {
    what: "a parcel that nobody ordered",
    broken: `insert into shipping.shipment (order_id, status, started_at, due_at, shipped_at, tracking_number)
      values ('ORD-nobody', 'SHIPPED', now(), now(), now(), 'T-1')`,
    mended: "delete from shipping.shipment where order_id = 'ORD-nobody'",
    noticedBy: /its parcel left/,
  },
  {
    what: "an event that nobody was told",
    broken: `insert into orders.outbox (message_id, type, routing_key, body, not_before)
      values ('lost', 'smartcart.events.v1.OrderPlaced', 'order.placed', '', 'infinity')`,
    mended: "delete from orders.outbox where message_id = 'lost'",
    noticedBy: /handed to the queue/,
  },
  {
    what: "a key without its answer",
    broken: "update orders.idempotency_keys set answer = null",
    mended: "update orders.idempotency_keys set answer = ''",
    noticedBy: /has its answer/,
  },
];

let shop: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  shop = await startStack();
  const { body } = await shop.place(seedBody, { "idempotency-key": "once" });
  await shop.history(body.orderId, "Shipped");
});
afterAll(() => shop?.[Symbol.asyncDispose]());

describe("the invariants", () => {
  it("hold after an order", async () => {
    await expectConsistent(shop.databaseUrl);
  });

  it.each(breakages)("notice $what", async ({ broken, mended, noticedBy }) => {
    await rowsOf(shop.databaseUrl, broken);
    expect(Object.keys(await contradictions(shop.databaseUrl))).toContainEqual(
      expect.stringMatching(noticedBy),
    );
    await rowsOf(shop.databaseUrl, mended);
    expect(await contradictions(shop.databaseUrl)).toEqual({});
  });
});
