/** What a look reads, and what a sweep of looks comes round to. The tables are only as much of the services' as the queries name. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import { createIncrementalCheck, idAt } from "../src/incremental-check.ts";

const running = new AsyncDisposableStack();
let database: Database;
beforeAll(async () => {
  const { url } = running.use(await createTestDatabase());
  database = running.use(createDatabase({ url, schema: "public", log: silentLogger }));
  await database.query({ text: tables });
});
afterAll(() => running.disposeAsync());
beforeEach(async () => {
  await database.query({
    text: "truncate orders.orders, orders.order_events, inventory.reservation, inventory.stock, inventory.stock_adjustment",
  });
  await database.query({ text: "insert into inventory.stock values ('tea', 1000, 0, 1000, 0)" });
});

const now = Date.parse("2026-01-02T03:04:05Z");
const minute = 60_000;
const idOf = (placedAtMs: number, serial = 0) =>
  `${idAt(placedAtMs)}${String(serial).padStart(16, "0")}`;

/** An order that came to its end as it should: rejected at once, with nothing else to say about it. */
const place = (id: string) =>
  database.query({
    text: `with placed as (insert into orders.orders (order_id, state, last_sequence) values ($1, 'REJECTED', 2))
           insert into orders.order_events select $1, * from (values (1, 1), (2, 7)) as e`,
    values: [id],
  });
/** One whose history has a hole. */
const placeBroken = (id: string) =>
  database.query({
    text: "insert into orders.orders (order_id, state, last_sequence) values ($1, 'REJECTED', 2)",
    values: [id],
  });
const reserve = (id: string, units: number) =>
  database.query({
    text: `insert into inventory.reservation (reservation_id, status, lines)
           values ($1, 'COMMITTED', jsonb_build_array(jsonb_build_object('productId', 'tea', 'quantity', $2::int)))`,
    values: [id, units],
  });

async function lookAt(check: ReturnType<typeof createIncrementalCheck>, nowMs: number) {
  const violations = await check.look(nowMs);
  return violations.flatMap(({ invariant, rows }) =>
    rows.map((row) => `${invariant.name}: ${row.order_id ?? row.product_id}`),
  );
}

describe("an incremental check", () => {
  it("reads an order once it has settled, and again as long as something is wrong with it", async () => {
    for (let serial = 0; serial < 20; serial += 1) await place(idOf(now - 60 * minute, serial));
    const id = idOf(now - minute);
    const check = createIncrementalCheck({ database, settleMs: 5_000, sliceSize: 5 });
    await placeBroken(id);
    const wrong = `sequence is contiguous: ${id}`;
    expect(await lookAt(check, now - minute + 1_000)).toEqual([]);
    expect(await lookAt(check, now - minute + 6_000)).toEqual([wrong]);
    expect(await lookAt(check, now)).toEqual([wrong]);
    await database.query({ text: "delete from orders.orders where order_id = $1", values: [id] });
    expect(await lookAt(check, now)).toEqual([]);
  });

  it("comes round to every order, however old", async () => {
    const ids = Array.from({ length: 22 }, (_, serial) => idOf(now - 600 * minute, serial));
    for (const id of ids) await (id === ids[13] ? placeBroken(id) : place(id));
    const check = createIncrementalCheck({ database, settleMs: 0, sliceSize: 5 });
    const looks = [];
    for (let turn = 0; turn < 5; turn += 1) looks.push((await lookAt(check, now)).length);
    expect(looks).toEqual([0, 0, 1, 1, 1]);
  });

  it("adds up in a sweep what a product has reserved", async () => {
    for (let serial = 0; serial < 12; serial += 1) {
      const id = idOf(now - 600 * minute, serial);
      await place(id);
      await reserve(id, 2);
    }
    await database.query({ text: "update inventory.stock set available = 976, reserved = 24" });
    const check = createIncrementalCheck({ database, settleMs: 0, sliceSize: 5 });
    const stockLooks = async () => {
      const looks = [];
      for (let turn = 0; turn < 3; turn += 1) {
        looks.push((await lookAt(check, now)).filter((one) => one.startsWith("stock is")));
      }
      return looks;
    };
    expect(await stockLooks()).toEqual([[], [], []]);
    await database.query({ text: "update inventory.stock set available = 975, reserved = 25" });
    const wrong = ["stock is what is reserved: tea"];
    expect(await stockLooks()).toEqual([[], [], wrong]);
    await database.query({ text: "update inventory.stock set available = 976, reserved = 24" });
    expect(await stockLooks()).toEqual([wrong, wrong, []]);
  });

  it("comes round to the ledger of every product", async () => {
    const add = `insert into inventory.stock select 'p' || lpad(n::text, 2, '0'), 0, 5, 5, 0 from generate_series(1, 11) n`;
    await database.query({ text: add });
    await database.query({
      text: `insert into inventory.stock_adjustment
             select product_id, delta from inventory.stock, (values (7), (-2)) as a (delta) where adjusted = 5`,
    });
    const check = createIncrementalCheck({ database, settleMs: 0, sliceSize: 5 });
    const looks = async () => [
      await lookAt(check, now),
      await lookAt(check, now),
      await lookAt(check, now),
    ];
    expect(await looks()).toEqual([[], [], []]);
    await database.query({
      text: "delete from inventory.stock_adjustment where product_id = 'p07' and delta = -2",
    });
    const wrong = ["adjusted is what the ledger says: p07"];
    expect(await looks()).toEqual([[], wrong, wrong]);
    await database.query({ text: "insert into inventory.stock_adjustment values ('p07', -2)" });
    await database.query({
      text: "update inventory.stock set available = 6 where product_id = 'p11'",
    });
    expect(await looks()).toEqual([[], [], ["stock adds up: p11"]]);
  });
});

const tables = `
  create schema orders;
  create table orders.orders (
    order_id text collate "C" primary key, state text, last_sequence int, total_minor bigint default 0,
    resumptions int default 0, refusal text, updated_at timestamptz default now());
  create table orders.order_events (order_id text collate "C", sequence int, milestone int);
  create table orders.idempotency_keys (idempotency_key text, order_id text collate "C", answer bytea);
  create table orders.deleted_orders (order_id text collate "C");
  create table orders.outbox (
    message_id text, ordering_key text, attempts int, last_error text, created_at timestamptz);
  create schema inventory;
  create table inventory.stock (product_id text, initial int, adjusted int, available int, reserved int);
  create table inventory.stock_adjustment (product_id text, delta int);
  create table inventory.reservation (reservation_id text collate "C" primary key, status text, lines jsonb);
  create schema payment;
  create table payment.payment (
    order_id text collate "C", status text, amount_minor bigint, created_at timestamptz);
  create schema payment_provider;
  create table payment_provider.ledger_entry (charge_id text collate "C", kind text, amount_minor bigint);
  create schema shipping;
  create table shipping.shipment (
    order_id text collate "C", status text, started_at timestamptz, due_at timestamptz)`;
