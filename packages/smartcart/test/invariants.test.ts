/** The promises as queries: each of them notices what it is there for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInvariants } from "@smartcart/reconciler";
import { contradictions, expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, startStack } from "./stack.ts";

/** Something broken by hand, and how it is mended again. `:order` stands for the order's id. */
interface Breakage {
  readonly what: string;
  readonly broken: string;
  readonly mended: string;
  /** Names of the promises that have to notice. */
  readonly noticedBy: readonly string[];
}

const setStock = (set: string) =>
  `update inventory.stock set ${set} where product_id = 'espresso-beans'`;
const setOrder = (set: string) => `update orders.orders set ${set} where order_id = :order`;
const unknownOrder = "'ORD-' || repeat('0', 26)";
const reservation = (status: string) => `
  insert into inventory.reservation (reservation_id, lines, status, closed, expires_at)
  select ${unknownOrder}, lines, '${status}', closed, now() + interval '1 hour' from inventory.reservation where reservation_id = :order`;
const noReservation = `delete from inventory.reservation where reservation_id = ${unknownOrder}`;
const entry = (id: string, kind: string) => `
  insert into payment_provider.ledger_entry (charge_id, kind, currency_code, amount_minor)
  select ${id}, '${kind}', currency_code, amount_minor from payment_provider.ledger_entry where charge_id = :order limit 1`;
const message = `
  insert into orders.outbox (message_id, type, routing_key, body, not_before)
  values (:order, 'smartcart.events.v1.OrderPlaced', 'order.placed', '', 'infinity')`;

const breakages: readonly Breakage[] = [
  {
    what: "an order that is stuck",
    broken: setOrder("state = 'PAID', lease_until = 'infinity'"),
    mended: setOrder("state = 'SHIPPED'"),
    noticedBy: ["every order becomes final"],
  },
  {
    what: "a gap in a history",
    broken: setOrder("last_sequence = 7"),
    mended: setOrder("last_sequence = 6"),
    noticedBy: ["sequence is contiguous"],
  },
  {
    what: "a history that cannot be",
    broken: setOrder("milestones[6] = 7"),
    mended: setOrder("milestones[6] = 6"),
    noticedBy: ["only legal transitions"],
  },
  {
    what: "a unit that vanished",
    broken: `alter table inventory.stock drop constraint stock_adds_up; ${setStock("available = available - 1")}`,
    mended: `${setStock("available = available + 1")};
      alter table inventory.stock add constraint stock_adds_up check (initial + adjusted = available + reserved)`,
    noticedBy: ["stock adds up"],
  },
  {
    what: "an adjustment that is not in the ledger",
    broken: setStock("available = available + 1, adjusted = adjusted + 1"),
    mended: setStock("available = available - 1, adjusted = adjusted - 1"),
    noticedBy: ["adjusted is what the ledger says"],
  },
  {
    what: "a unit that is set aside by no reservation",
    broken: setStock("available = available - 1, reserved = reserved + 1"),
    mended: setStock("available = available + 1, reserved = reserved - 1"),
    noticedBy: ["stock is what is reserved"],
  },
  {
    what: "a reservation without an order",
    broken: reservation("HELD"),
    mended: noReservation,
    noticedBy: ["no orphan hold", "stock is what is reserved"],
  },
  {
    what: "a sale without an order",
    broken: reservation("COMMITTED"),
    mended: noReservation,
    noticedBy: ["sold units belong to paid orders", "stock is what is reserved"],
  },
  {
    what: "a confirmed order whose units were put back",
    broken: "update inventory.reservation set status = 'RELEASED' where reservation_id = :order",
    mended: "update inventory.reservation set status = 'COMMITTED' where reservation_id = :order",
    noticedBy: ["sold is what is confirmed", "stock is what is reserved"],
  },
  {
    what: "a second charge under another name",
    broken: entry("charge_id || '-2'", "capture"),
    mended: "delete from payment_provider.ledger_entry where charge_id = :order || '-2'",
    noticedBy: ["charged at most once", "money is right", "books agree"],
  },
  {
    what: "a charge without an order",
    broken: entry(unknownOrder, "capture"),
    mended: `delete from payment_provider.ledger_entry where charge_id = ${unknownOrder}`,
    noticedBy: ["no payment without an order"],
  },
  {
    what: "a refund of a shipped order",
    broken: entry("charge_id", "refund"),
    mended:
      "delete from payment_provider.ledger_entry where kind = 'refund' and charge_id = :order",
    noticedBy: ["money is right", "books agree", "shipped once and only if paid"],
  },
  {
    what: "a payment that the service does not know the outcome of",
    broken:
      "update payment.payment set status = 'PENDING', payment_token = '', created_at = now() where order_id = :order",
    mended:
      "update payment.payment set status = 'CAPTURED', payment_token = null where order_id = :order",
    noticedBy: ["books agree"],
  },
  {
    what: "a shipped order whose parcel never left",
    broken:
      "update shipping.shipment set status = 'STARTED', shipped_at = null, tracking_number = '', due_at = 'infinity' where order_id = :order",
    mended:
      "update shipping.shipment set status = 'SHIPPED', shipped_at = now(), tracking_number = 'T-1', due_at = now() where order_id = :order",
    noticedBy: ["shipped once and only if paid"],
  },
  {
    what: "a parcel without an order",
    broken: `insert into shipping.shipment (order_id, status, started_at, due_at, shipped_at, tracking_number)
      select ${unknownOrder}, 'SHIPPED', now(), now(), now(), 'T-1'`,
    mended: `delete from shipping.shipment where order_id = ${unknownOrder}`,
    noticedBy: ["no shipment for a closed order", "shipped once and only if paid"],
  },
  {
    what: "an event that was not published",
    broken: message,
    mended: "delete from orders.outbox where message_id = :order",
    noticedBy: ["outboxes are empty"],
  },
  {
    what: "a key without its answer",
    broken: "update orders.idempotency_keys set answer = null where order_id = :order",
    mended: "update orders.idempotency_keys set answer = '' where order_id = :order",
    noticedBy: ["every key has a response"],
  },
];

let shop: Awaited<ReturnType<typeof startStack>>;
let orderId: string;
beforeAll(async () => {
  // What is broken by hand must not be mended by the services before it is noticed.
  shop = await startStack({ env: { PAYMENT_RESOLVE_AFTER_MS: "3600000" } });
  ({ orderId } = (await shop.place(seedBody, { "idempotency-key": "once" })).body);
  await shop.history(orderId, "Shipped");
});
afterAll(() => shop?.[Symbol.asyncDispose]());

const run = (text: string) => rowsOf(shop.databaseUrl, text.replaceAll(":order", `'${orderId}'`));

describe("the promises", () => {
  it("hold after an order", async () => {
    await expectConsistent(shop.databaseUrl);
  });

  it.each(breakages)("notice $what", async ({ broken, mended, noticedBy }) => {
    await run(broken);
    expect(Object.keys(await contradictions(shop.databaseUrl))).toEqual(
      expect.arrayContaining([...noticedBy]),
    );
    await run(mended);
    expect(await contradictions(shop.databaseUrl)).toEqual({});
  });

  it("are all among those that were broken", () => {
    const noticed = new Set(breakages.flatMap(({ noticedBy }) => noticedBy));
    expect([...noticed].sort()).toEqual(
      createInvariants({ settleMs: 0 })
        .map(({ name }) => name)
        .sort(),
    );
  });
});
