/** A database that is away, full or read-only: callers hear so soon, and it is used again when it is back. */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { createLogger, silentLogger } from "@smartcart/runtime";
import { createTestDatabase } from "@smartcart/testkit";
import {
  createCoalescer,
  createDatabase,
  isConnectionError,
  migrate,
  withTransaction,
} from "../src/index.ts";
import { startVanishingHost } from "./vanishing-host.ts";

const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

test("after the host has vanished, statements end within a bound and the slots of coalescers are free", async () => {
  await using server = await createTestDatabase();
  await using host = await startVanishingHost(server.url);
  await using db = createDatabase({
    url: host.url,
    schema: "public",
    log: silentLogger,
    maxConnections: 2,
    queryTimeoutMs: 300,
  });
  const read = createCoalescer<number, number>({
    name: "read",
    maxItems: 2,
    maxConcurrent: 2,
    run: async (items) => {
      await withTransaction(db, "read", (tx) => tx.query({ text: "select 1" }));
      return items;
    },
  });
  expect(await Promise.all([1, 2, 3, 4].map(read))).toEqual([1, 2, 3, 4]);

  host.vanish();
  const startedAt = performance.now();
  const errors = await Promise.all([1, 2, 3, 4].map((n) => failure(read(n))));
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  for (const error of errors) expect(isConnectionError(error), String(error)).toBe(true);

  host.comeBack();
  expect(await Promise.all([1, 2, 3, 4].map(read))).toEqual([1, 2, 3, 4]);
});

test("too many clients: one line for many callers, and at start it is waited for", async () => {
  await using server = await createTestDatabase();
  await using admin = createDatabase({ url: server.url, schema: "public", log: silentLogger });
  const role = `crowd_${Date.now()}`;
  await admin.query({ text: `create role ${role} login password 'pencil' connection limit 0` });
  await admin.query({
    text: `grant create on database ${new URL(server.url).pathname.slice(1)} to ${role}`,
  });
  const url = new URL(server.url);
  url.username = role;
  url.password = "pencil";
  const lines: string[] = [];
  const log = createLogger({ service: "test", destination: { write: (line) => lines.push(line) } });
  await using db = createDatabase({ url: url.href, schema: "shop", log });

  const calls = Array.from({ length: 500 }, () => failure(db.query({ text: "select 1" })));
  for (const error of await Promise.all(calls)) expect(isConnectionError(error)).toBe(true);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("database.unavailable");
  expect(lines[0]).toContain("too many connections");

  const directory = new URL("./fixtures/no-migrations/", import.meta.url);
  const migrating = migrate(db, { name: "shop", directory });
  await sleep(200);
  await admin.query({ text: `alter role ${role} connection limit -1` });
  await migrating;
  await db.query({ text: "select 1" });
  await admin.query({ text: `drop owned by ${role}` });
  await db[Symbol.asyncDispose]();
  await admin.query({ text: `drop role ${role}` });
});

test("a server that a failover made read-only: the connection is not used again", async () => {
  await using server = await createTestDatabase();
  await using db = createDatabase({
    url: server.url,
    schema: "public",
    log: silentLogger,
    maxConnections: 1,
  });
  await db.query({ text: "create table t (id integer)" });
  const insert = { text: "insert into t values (1)" };
  for (const write of [
    () => db.query(insert),
    () => withTransaction(db, "write", (tx) => tx.query(insert)),
  ]) {
    // the one connection of the pool, as after a switch-over
    await db.query({ text: "set default_transaction_read_only = on" });
    const error = await failure(write());
    expect(isConnectionError(error), String(error)).toBe(true);
    await write();
  }
});

test("more callers than may wait are rejected at once", async () => {
  await using server = await createTestDatabase();
  await using db = createDatabase({
    url: server.url,
    schema: "public",
    log: silentLogger,
    maxConnections: 1,
    maxWaiting: 3,
  });
  const busy = await db.connect();
  const waiting = [1, 2, 3].map(() => db.query({ text: "select 1" }));
  const error = await failure(db.query({ text: "select 1" }));
  expect(isConnectionError(error)).toBe(true);
  expect(String(error)).toMatch(/3 callers wait for a connection/);
  busy.release();
  await Promise.all(waiting);
});

test("a caller that is aborted while it waits runs nothing, and frees its place in the queue", async () => {
  await using server = await createTestDatabase();
  await using db = createDatabase({
    url: server.url,
    schema: "public",
    log: silentLogger,
    maxConnections: 1,
    maxWaiting: 2,
  });
  await db.query({ text: "create table t (id integer)" });
  const busy = await db.connect();
  const insert = { text: "insert into t values (1)" };
  const call = new AbortController();
  const { signal } = call;
  const aborted = [
    db.query({ ...insert, signal }),
    withTransaction(db, "write", (tx) => tx.query(insert), { signal }),
  ].map(failure);
  call.abort();
  for (const error of await Promise.all(aborted)) expect(error).toBe(signal.reason);
  await expect(db.query({ ...insert, signal })).rejects.toBe(signal.reason);

  const others = [1, 2].map(() => db.query({ text: "select count(*)::integer as count from t" }));
  busy.release();
  for (const { rows } of await Promise.all(others)) expect(rows).toEqual([{ count: 0 }]);
});

test("one bad item does not fail the batch that it is in", async () => {
  await using server = await createTestDatabase();
  await using db = createDatabase({ url: server.url, schema: "public", log: silentLogger });
  await db.query({ text: "create table t (n integer primary key check (n <> 7))" });
  const insert = createCoalescer<string, string>({
    name: "insert",
    maxItems: 64,
    run: async (items) => {
      await db.query({ text: "insert into t select unnest($1::integer[])", values: [items] });
      return items;
    },
  });
  // a check that fails, a value out of range, and one that is none
  const bad = ["7", "2147483648", "x"];
  const items = [...Array(40).keys()].filter((n) => n !== 7).map(String);
  const results = await Promise.allSettled([...items, ...bad].map(insert));
  const rejected = results.flatMap((r) => (r.status === "rejected" ? [r.reason.code] : []));
  expect(rejected).toEqual(["23514", "22003", "22P02"]);
  const { rows } = await db.query({ text: "select count(*)::integer as count from t" });
  expect(rows).toEqual([{ count: items.length }]);
});

test("an error of a statement does not cost the connection", async () => {
  await using server = await createTestDatabase();
  await using db = createDatabase({
    url: server.url,
    schema: "public",
    log: silentLogger,
    maxConnections: 1,
  });
  const pid = async () => (await db.query({ text: "select pg_backend_pid() as pid" })).rows[0].pid;
  const before = await pid();
  await failure(db.query({ text: "select 1/0" }));
  expect(await pid()).toBe(before);
  const killer = new pg.Client({ connectionString: server.url });
  await killer.connect();
  const sleeping = failure(db.query({ text: "select pg_sleep(10)" }));
  await sleep(100);
  await killer.query("select pg_terminate_backend($1)", [before]);
  expect(isConnectionError(await sleeping)).toBe(true);
  await killer.end();
  expect(await pid()).not.toBe(before);
});
