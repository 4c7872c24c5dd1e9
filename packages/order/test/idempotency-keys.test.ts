/** Whose a key is, how long it is kept, and what becomes of the keys of the version before. */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outboxMigrations } from "@smartcart/bus";
import { Order_Status } from "@smartcart/gen/order/v1/order_pb";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { fingerprintOf } from "../src/idempotency.ts";
import { startKeyPruning } from "../src/key-pruning.ts";
import { pruneKeys } from "../src/store/idempotency-keys.ts";
import { anOrderRequest } from "./an-order-request.ts";
import { startProcess } from "./order-process.ts";
import { startRealService } from "./real-service.ts";
import { createWorld } from "./scripted-peers.ts";
import { setUp } from "./setup.ts";

const migrations = new URL("../migrations/", import.meta.url);
const dayMs = 24 * 60 * 60 * 1_000;

let service: Awaited<ReturnType<typeof setUp>>;
beforeAll(async () => {
  service = await setUp();
});
afterAll(() => service[Symbol.asyncDispose]());

const query = (text: string, ...values: unknown[]) => service.database.query({ text, values });
const keysOf = async (userId: string) =>
  (
    await query(
      "select idempotency_key from idempotency_keys where user_id = $1 order by 1",
      userId,
    )
  ).rows.map((row) => row.idempotency_key);
const age = (userId: string, interval: string) =>
  query(
    `update idempotency_keys set created_at = created_at - interval '${interval}' where user_id = $1`,
    userId,
  );

describe("a key", () => {
  it("is another one with another user, also where both come at once", async () => {
    const users = Array.from({ length: 20 }, (_, index) => `owner-${index}`);
    const place = (userId: string) => service.place({ userId, address: `to ${userId}` }, "1");
    const first = await Promise.all(users.map(place));
    expect(first.map(({ order }) => order.userId)).toEqual(users);
    expect(new Set(first.map(({ order }) => order.orderId)).size).toBe(users.length);
    const again = await Promise.all(users.map(place));
    expect(again).toEqual(first.map(({ order }) => ({ order, replayed: true })));
  });

  it("of one user is refused for another body, whatever others sent with it", async () => {
    await service.place({ userId: "one" }, "same");
    await service.place({ userId: "two", address: "2 Main St" }, "same");
    const other = service.place({ userId: "one", address: "2 Main St" }, "same");
    await expect(other).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
  });

  it("cannot be made to look like another user's by its spelling", async () => {
    const first = await service.place({ userId: "a" }, "b c");
    const second = await service.place({ userId: "a b" }, "c");
    expect(second.replayed).toBe(false);
    expect(second.order.orderId).not.toBe(first.order.orderId);
  });
});

describe("pruning", () => {
  it("forgets a key after its time and not before, and then it makes a new order", async () => {
    const userId = "forgetful";
    const first = await service.place({ userId }, "1");
    await age(userId, "23 hours 59 minutes");
    await pruneKeys(service.database, dayMs, 1_000);
    expect((await service.place({ userId }, "1")).replayed).toBe(true);
    await age(userId, "2 minutes");
    await pruneKeys(service.database, dayMs, 1_000);
    const second = await service.place({ userId }, "1");
    expect(second.replayed).toBe(false);
    expect(second.order.orderId).not.toBe(first.order.orderId);
  });

  it("keeps a key without an answer, and one whose order is still under way, whatever their age", async () => {
    const userId = "patient";
    for (const key of ["answered", "unanswered", "under way"]) await service.place({ userId }, key);
    await query(
      "update idempotency_keys set answer = null where idempotency_key = 'unanswered' and user_id = $1",
      userId,
    );
    await query(
      `update orders set state = 'CANCELLED_REFUNDING', lease_until = 'infinity' where order_id =
         (select order_id from idempotency_keys where idempotency_key = 'under way' and user_id = $1)`,
      userId,
    );
    await age(userId, "10 years");
    await pruneKeys(service.database, dayMs, 1_000);
    expect(await keysOf(userId)).toEqual(["unanswered", "under way"]);
  });

  it("keeps pace with any number in bounded statements, beside other processes that prune", async () => {
    await query(`
      insert into orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token,
                          placed_at, trace_id, last_sequence, lease_until)
      select 'ORD-many-' || n, 'many', 'SHIPPED', '[]', 'USD', 0, '', '', now(), '', 1, now()
      from generate_series(1, 5000) n`);
    await query(`
      insert into idempotency_keys (user_id, idempotency_key, fingerprint, order_id, answer, created_at)
      select 'many', n, '', 'ORD-many-' || n, '', now() - interval '2 days' from generate_series(1, 5000) n`);
    const options = {
      database: service.database,
      log: silentLogger,
      ageMs: dayMs,
      intervalMs: 10,
      batchSize: 100,
    };
    await using _one = startKeyPruning(options);
    await using _other = startKeyPruning(options);
    await waitFor(async () => (await keysOf("many")).length === 0);
  });

  it("reckons with any age that can be set", async () => {
    for (const ageMs of [0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      const errors: unknown[] = [];
      const log = { ...silentLogger, error: (...line: unknown[]) => void errors.push(line) };
      const { database } = service;
      let rounds = 0;
      const counting = {
        query: (statement: Parameters<typeof database.query>[0]) => {
          rounds += 1;
          return database.query(statement);
        },
      } as typeof database;
      await using _pruning = startKeyPruning({ database: counting, log, ageMs, intervalMs: 1 });
      await waitFor(() => rounds > 2);
      expect(errors, String(ageMs)).toEqual([]);
    }
  });
});

it("the keys of the version before are their users', with their answers", async () => {
  await using started = new AsyncDisposableStack();
  const { url } = started.use(await createTestDatabase());
  const database = started.use(createDatabase({ url, schema: "orders", log: silentLogger }));
  await migrate(database, outboxMigrations);
  await migrate(database, { name: "orders", directory: started.use(await firstMigrations(2)).url });
  await database.query({
    text: `insert into orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token,
             placed_at, trace_id, last_sequence, lease_until)
           select 'ORD-' || n, 'user ' || n % 3, 'SHIPPED', '[]', 'USD', 0, '', '', now(), '', 1, now()
           from generate_series(1, 1000) n`,
  });
  await database.query({
    text: "insert into order_events select order_id, 1, 1, now(), 'order', '' from orders",
  });
  const request = { userId: "user 1" };
  // The answer is `Order { status: CONFIRMED }`.
  await database.query({
    text: `insert into idempotency_keys (idempotency_key, fingerprint, order_id, answer)
           select 'key of ' || order_id, $1, order_id, case when order_id <> 'ORD-4' then '\\x1002'::bytea end from orders`,
    values: [fingerprintOf(anOrderRequest(request))],
  });

  await migrate(database, { name: "orders", directory: migrations });

  const process = startProcess({ database, peers: createWorld().peers });
  const replayed = await process.place(request, "key of ORD-1");
  expect(replayed).toMatchObject({ replayed: true, order: { status: Order_Status.CONFIRMED } });
  await expect(process.place(request, "key of ORD-4")).rejects.toMatchObject({
    code: "IDEMPOTENCY_KEY_IN_USE",
  });
  // What was another user's never was this one's.
  expect((await process.place(request, "key of ORD-2")).replayed).toBe(false);
  const { rows } = await database.query({
    text: `select count(*)::int from idempotency_keys k join orders o using (order_id) where o.user_id = k.user_id`,
  });
  expect(rows).toEqual([{ count: 1001 }]);
});

/** A folder with the first migrations only: what an earlier version brought. */
async function firstMigrations(count: number) {
  const path = await mkdtemp(join(tmpdir(), "smartcart-migrations-"));
  for (const file of (await readdir(migrations)).sort().slice(0, count)) {
    await cp(new URL(file, migrations), join(path, file));
  }
  return {
    url: pathToFileURL(`${path}/`),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

it("the OpenAPI document says whose a key is and how long it is kept", async () => {
  await using real = await startRealService({ env: { IDEMPOTENCY_KEY_TTL_MS: "7200000" } });
  const { info } = (await (await fetch(`${real.url}/openapi.json`)).json()) as {
    info: { description: string };
  };
  expect(info.description).toContain("A key belongs to the userId of its request");
  expect(info.description).toContain("kept for 2 hours at least");
});
