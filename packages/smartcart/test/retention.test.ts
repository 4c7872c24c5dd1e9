/** Orders that are deleted after their retention: nothing of them is left anywhere, and every invariant holds before, meanwhile and after. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { contradictions, expectConsistent, rowsOf } from "./invariants.ts";
import { seedBody, startStack } from "./stack.ts";

const running = new AsyncDisposableStack();
let url: string;
beforeAll(async () => {
  ({ url } = running.use(await createTestDatabase()));
});
afterAll(() => running.disposeAsync());

const tables = [
  "orders.orders",
  "orders.order_events",
  "orders.idempotency_keys",
  "orders.deleted_orders",
  "inventory.reservation",
  "payment.payment",
  "payment_provider.ledger_entry",
  "shipping.shipment",
];

/** How many rows there are, by table, but for those of one order. */
async function rowsBeside(orderId: string): Promise<Record<string, number>> {
  const idOf: Record<string, string> = {
    "inventory.reservation": "reservation_id",
    "payment_provider.ledger_entry": "charge_id",
  };
  const counts = tables.map(
    (table) =>
      `select '${table}' as name, count(*)::int from ${table} where ${idOf[table] ?? "order_id"} <> '${orderId}'`,
  );
  const rows = await rowsOf<{ name: string; count: number }>(url, counts.join(" union all "));
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

const stock = () =>
  rowsOf(
    url,
    "select product_id, available, initial - reserved as rest from inventory.stock order by product_id",
  );

it("deletes what has come to its end, everywhere, and leaves what has not", async () => {
  const waiting = await placeOrders();
  const before = await stock();
  // An order that waits for a person, older than the others.
  await rowsOf(
    url,
    "update orders.orders set state = 'CANCELLED_RELEASING', refusal = 'X', lease_until = 'infinity' where order_id = $1",
    [waiting],
  );
  const known = Object.keys(await contradictions(url));

  const env = { DATABASE_URL: url, IDEMPOTENCY_KEY_TTL_MS: "1", ORDER_RETENTION_DAYS: "0.0000001" };
  await using shop = await startStack({ env });
  const nothing = Object.fromEntries(tables.map((table) => [table, 0]));
  await waitFor(
    async () => {
      expect(Object.keys(await contradictions(url))).toEqual(known);
      return Object.values(await rowsBeside(waiting)).every((count) => count === 0);
    },
    { timeoutMs: 30_000, what: "the orders to be deleted" },
  );
  expect(await rowsBeside(waiting)).toEqual(nothing);
  expect(await stock()).toEqual(before);
  expect((await shop.get(`/orders/${waiting}`)).status).toBe(200);
});

/** Shipped, declined and cancelled orders, with keys; answers one that is shipped. */
async function placeOrders(): Promise<string> {
  await using shop = await startStack({ env: { DATABASE_URL: url, SHIPPING_DELAY_MS: "0" } });
  const place = async (key: string, body: object = {}) =>
    (await shop.place({ ...seedBody, ...body }, { "idempotency-key": key })).body.orderId;
  const waiting = await place("first");
  const shipped = await Promise.all(["a", "b", "c"].map((key) => place(key)));
  await place("declined", { paymentToken: "tok_declined" });
  for (const orderId of [waiting, ...shipped]) await shop.history(orderId, "Shipped");
  const cancelled = await place("cancelled");
  await shop.post(`/orders/${cancelled}/cancel`);
  // While something relays what the orders left in their outbox.
  await expectConsistent(url);
  return waiting;
}
