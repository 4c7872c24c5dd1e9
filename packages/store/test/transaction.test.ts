import { describe, expect, test } from "vitest";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import { createTestDatabase } from "@smartcart/testkit";
import {
  createDatabase,
  isConnectionError,
  isUniqueViolation,
  withTransaction,
} from "../src/index.ts";

async function setUp() {
  const server = await createTestDatabase();
  const metrics = createMetrics("test");
  const db = createDatabase({ url: server.url, schema: "shop", log: silentLogger, metrics });
  await db.query({ text: "create schema shop" });
  await db.query({ text: "create table account (id text primary key, balance integer not null)" });
  await db.query({ text: "insert into account values ('a', 10), ('b', 10)" });
  return {
    db,
    metrics,
    async balances() {
      const { rows } = await db.query({ text: "select balance from account order by id" });
      return rows.map((row) => row.balance);
    },
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const add = (id: string, amount: number) => ({
  text: "update account set balance = balance + $2 where id = $1",
  values: [id, amount],
});

describe("withTransaction", () => {
  test("commits what its function did, and returns its result", async () => {
    await using shop = await setUp();
    const result = await withTransaction(shop.db, "move", async (tx) => {
      await tx.query(add("a", -3));
      return (await tx.query(add("b", 3))).rowCount;
    });
    expect(result).toBe(1);
    expect(await shop.balances()).toEqual([7, 13]);
  });

  test("rolls back when its function throws, and throws that very error", async () => {
    await using shop = await setUp();
    const rejection = new Error("not enough");
    const moved = withTransaction(shop.db, "move", async (tx) => {
      await tx.query(add("a", -30));
      throw rejection;
    });
    await expect(moved).rejects.toBe(rejection);
    expect(await shop.balances()).toEqual([10, 10]);
  });

  test("an error of the database names the owner, and is still recognised", async () => {
    await using shop = await setUp();
    const inserted = withTransaction(shop.db, "account.open", (tx) =>
      tx.query({ text: "insert into account values ('a', 1)" }),
    );
    const error = await inserted.catch((e) => e);
    expect(error.message).toMatch(/^transaction "account.open" failed: .*account_pkey/);
    expect(error).toMatchObject({
      code: "23505",
      owner: "account.open",
      constraint: "account_pkey",
    });
    expect(isUniqueViolation(error)).toBe(true);
  });

  test("runs both of two transactions that deadlock", async () => {
    await using shop = await setUp();
    await shop.db.query({
      text: `alter database ${new URL(shop.db.url).pathname.slice(1)} set deadlock_timeout = '10ms'`,
    });
    const bothHoldOne = Promise.withResolvers<void>();
    let holding = 0;
    let attempts = 0;
    await using second = createDatabase({ url: shop.db.url, schema: "shop", log: silentLogger });
    const move = (db: typeof second, from: string, to: string) =>
      withTransaction(db, "move", async (tx) => {
        attempts++;
        await tx.query(add(from, -1));
        if (++holding === 2) bothHoldOne.resolve();
        await bothHoldOne.promise;
        await tx.query(add(to, 1));
      });
    await Promise.all([move(second, "a", "b"), move(second, "b", "a")]);
    expect(await shop.balances()).toEqual([10, 10]);
    // The one that is undone may take its lock again before the other is woken, and be undone once more.
    expect(attempts).toBeGreaterThan(2);
  });

  test("a lost connection is a connection error, and the pool goes on", async () => {
    await using shop = await setUp();
    const lost = withTransaction(shop.db, "move", async (tx) => {
      await tx.query(add("a", -3));
      const { rows } = await tx.query({ text: "select pg_backend_pid() as pid" });
      await shop.db.query({ text: "select pg_terminate_backend($1)", values: [rows[0].pid] });
      await tx.query(add("b", 3));
    });
    const error = await lost.catch((e) => e);
    expect(isConnectionError(error)).toBe(true);
    expect(error).toMatchObject({ owner: "move" });
    expect(await shop.balances()).toEqual([10, 10]);
  });

  test("is measured by owner and outcome", async () => {
    await using shop = await setUp();
    await withTransaction(shop.db, "move", (tx) => tx.query(add("a", 1)));
    const text = await shop.metrics.metrics();
    expect(text).toMatch(
      /store_shop_transaction_seconds_count\{.*owner="move",outcome="commit"\} 1/,
    );
    expect(text).toMatch(/store_shop_connections\{state="idle",service="test"\} \d/);
  });
});

describe("createDatabase", () => {
  test("works in its schema, with prepared statements and arrays", async () => {
    await using shop = await setUp();
    const statement = {
      name: "accounts",
      text: "select id from account where id = any($1) order by id",
      values: [["a", "b", "c"]],
    };
    expect((await shop.db.query(statement)).rows).toEqual([{ id: "a" }, { id: "b" }]);
    expect((await shop.db.query({ ...statement, values: [["b"]] })).rows).toEqual([{ id: "b" }]);
    await shop.db.ping();
  });

  test("rejects a schema that is not a plain name", () => {
    const options = { url: "postgres://x", schema: 'a"; drop', log: silentLogger };
    expect(() => createDatabase(options)).toThrow("not a lower-case SQL name");
  });

  test("ping tells when all connections are taken for too long", async () => {
    await using server = await createTestDatabase();
    const options = { url: server.url, schema: "shop", log: silentLogger, maxConnections: 1 };
    await using db = createDatabase(options);
    const client = await db.connect();
    await expect(db.ping(20)).rejects.toThrow("did not answer within 20 ms");
    client.release();
    await db.ping();
  });
});
