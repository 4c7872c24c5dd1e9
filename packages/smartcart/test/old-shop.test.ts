/** A shop with many stored orders: nothing that runs by default, and nothing that a customer or the operations page asks for, reads them all. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createIncrementalCheck } from "@smartcart/reconciler";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { createConsoleClient } from "./console-client.ts";
import { contradictions, rowsOf } from "./invariants.ts";
import { startStack } from "./stack.ts";

const stored = 50_000;
const filling = new URL("../../bench/src/finished-orders.sql", import.meta.url);
const body = {
  userId: "user-7",
  items: [{ productId: "bench-000001", quantity: 1 }],
  address: "1 Main St",
};

const running = new AsyncDisposableStack();
let url: string;
beforeAll(async () => {
  ({ url } = running.use(await createTestDatabase()));
  // Makes the tables.
  await (await startStack({ env: { DATABASE_URL: url } }))[Symbol.asyncDispose]();
  await addProducts(url);
  await addFinishedOrders(url, stored);
  await rowsOf(url, "vacuum analyze");
}, 120_000);
afterAll(() => running.disposeAsync());

async function addProducts(to: string): Promise<void> {
  await rowsOf(
    to,
    `with listed as (
       insert into inventory.product (product_id, name, description, category, emoji, currency_code, price_minor)
       select 'bench-' || to_char(i, 'FM000000'), 'Bench', '', 'Bench', '', 'USD', 1250 from generate_series(0, 99) i
       returning product_id)
     insert into inventory.stock (product_id, initial, available) select product_id, 100000, 100000 from listed`,
  );
}

async function addFinishedOrders(to: string, count: number): Promise<void> {
  const text = await readFile(fileURLToPath(filling), "utf8");
  const newest = new Date(Date.now() - 3_600_000);
  // In steps, since a statement may take ten seconds.
  for (let last = count; last > 0; last -= 10_000) {
    await rowsOf(to, text, [last - 9_999, last, newest, 100, 1_250]);
  }
}

it("the filling is what the services would have stored: every invariant holds", async () => {
  expect(await contradictions(url)).toEqual({});
});

/** Large tables that were read from their beginning, since their counters were reset. */
const readWhole = () =>
  rowsOf(
    url,
    `select schemaname || '.' || relname as name, seq_scan from pg_stat_user_tables
     where n_live_tup >= ${stored} and seq_tup_read >= ${stored}`,
  );

it("reads no table from its beginning", async () => {
  // The check above did.
  await rowsOf(url, "select pg_stat_reset()");
  await rowsOf(url, "analyze");
  await using shop = await startStack({ env: { DATABASE_URL: url, OPS_CHECK_INTERVAL_MS: "100" } });
  const ops = createConsoleClient(shop.urls.ops ?? "");
  const placed = await waitFor(
    async () => {
      const answer = await shop.place(body, { "idempotency-key": "k" });
      return answer.status === 201 && answer.body.orderId;
    },
    { what: "an order" },
  );
  await shop.history(String(placed), "Shipped");
  await shop.get("/orders?userId=user-7");
  await shop.post(`/orders/${placed}/cancel`);
  await ops.snapshot("the services", (one) => one.services.length > 0);
  await ops.invariant("money is right", () => true);
  await ops.client.listDeadLetters({});
  await fetch(`${shop.urls.order}/metrics`);
  // Some rounds of everything that runs by itself, and looks that come to a slice in the middle.
  await using database = createDatabase({ url, schema: "public", log: silentLogger });
  const check = createIncrementalCheck({ database, settleMs: 60_000 });
  for (let look = 0; look < 5; look += 1) expect(await check.look(Date.now())).toEqual([]);
  // Statistics are told when a connection is idle or ends.
  await shop[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  expect(await readWhole()).toEqual([]);
});

it("an order reads few rows though its statements were planned when the shop was empty", async () => {
  const count = 20_000;
  await using empty = await createTestDatabase();
  await using shop = await startStack({ env: { DATABASE_URL: empty.url } });
  const settings = await rowsOf<{ statement: string }>(
    empty.url,
    "select format('alter table %I.%I set (autovacuum_enabled = off)', schemaname, relname) as statement from pg_stat_user_tables",
  );
  // Otherwise they may be planned anew.
  for (const { statement } of settings) await rowsOf(empty.url, statement);
  await addProducts(empty.url);
  const placeSome = async (first: number) => {
    for (let n = first; n < first + 12; n += 1) {
      const placed = await shop.place(body, { "idempotency-key": `k${n}` });
      expect(placed.status).toBe(201);
      await shop.history(String(placed.body.orderId), "Shipped");
    }
  };
  // More than the five times for which PostgreSQL plans a prepared statement anew.
  await placeSome(0);
  await addFinishedOrders(empty.url, count);
  await rowsOf(empty.url, "select pg_stat_reset()");
  await placeSome(12);
  await shop[Symbol.asyncDispose]();
  const readMuch = await rowsOf(
    empty.url,
    `select relname as name, seq_tup_read as rows from pg_stat_user_tables where seq_tup_read >= ${count}
     union all select indexrelname, idx_tup_read from pg_stat_user_indexes where idx_tup_read >= ${count}`,
  );
  expect(readMuch).toEqual([]);
});
