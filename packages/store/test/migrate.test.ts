import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase } from "@smartcart/testkit";
import { createDatabase, migrate } from "../src/index.ts";

async function setUp(files: Record<string, string>) {
  const server = await createTestDatabase();
  const open = (schema = "shop") => createDatabase({ url: server.url, schema, log: silentLogger });
  const db = open();
  const folder = await mkdtemp(join(tmpdir(), "migrations-"));
  const write = (name: string, sql: string) => writeFile(join(folder, name), sql);
  for (const [name, sql] of Object.entries(files)) await write(name, sql);
  return {
    db,
    open,
    write,
    remove: (name: string) => rm(join(folder, name)),
    set: { name: "shop", directory: pathToFileURL(folder) },
    async tables() {
      const { rows } = await db.query({
        text: "select tablename from pg_tables where schemaname = 'shop' order by 1",
      });
      return rows.map((row) => row.tablename);
    },
    async [Symbol.asyncDispose]() {
      await db[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

const first = { "0001_items.sql": "create table item (id int);\ninsert into item values (1);" };

describe("migrate", () => {
  test("creates the schema, applies the files in order, and only once", async () => {
    await using shop = await setUp({ ...first, "0002_note.sql": "alter table item add note text" });
    await migrate(shop.db, shop.set);
    await migrate(shop.db, shop.set);
    const { rows } = await shop.db.query({ text: "select * from item" });
    expect(rows).toEqual([{ id: 1, note: null }]);
    expect(await shop.tables()).toEqual(["item", "migrations_shop"]);
  });

  test("applies files that came later", async () => {
    await using shop = await setUp(first);
    await migrate(shop.db, shop.set);
    await shop.write("0002_more.sql", "insert into item values (2)");
    await migrate(shop.db, shop.set);
    expect((await shop.db.query({ text: "select id from item order by 1" })).rows).toHaveLength(2);
  });

  test("many at once do the work once", async () => {
    await using shop = await setUp(first);
    const databases = Array.from({ length: 5 }, () => shop.open());
    await Promise.all(databases.map((db) => migrate(db, shop.set)));
    await Promise.all(databases.map((db) => db[Symbol.asyncDispose]()));
    expect((await shop.db.query({ text: "select id from item" })).rows).toEqual([{ id: 1 }]);
  });

  test("several sets share a schema, each with its own numbers", async () => {
    await using shop = await setUp(first);
    await using other = await setUp({ "0001_outbox.sql": "create table outbox (id int)" });
    await migrate(shop.db, shop.set);
    await migrate(shop.db, { name: "outbox", directory: other.set.directory });
    expect(await shop.tables()).toEqual(["item", "migrations_outbox", "migrations_shop", "outbox"]);
  });

  test("schemas do not see each other", async () => {
    await using shop = await setUp(first);
    await using other = shop.open("other");
    await migrate(shop.db, shop.set);
    await migrate(other, shop.set);
    expect((await other.query({ text: "select id from item" })).rows).toEqual([{ id: 1 }]);
  });

  test("rejects an applied file that was edited, except for its line ends", async () => {
    await using shop = await setUp(first);
    await migrate(shop.db, shop.set);
    await shop.write("0001_items.sql", first["0001_items.sql"].replaceAll("\n", "\r\n"));
    await migrate(shop.db, shop.set);
    await shop.write("0001_items.sql", "create table item (id bigint)");
    await expect(migrate(shop.db, shop.set)).rejects.toThrow(
      /0001_items.sql was edited after it had been applied.*new file with the next number/,
    );
  });

  test("a file that fails is named, and leaves nothing behind", async () => {
    await using shop = await setUp({
      ...first,
      "0002_bad.sql": "create table x (id int); nonsense",
    });
    const error = await migrate(shop.db, shop.set).catch((e) => e);
    expect(error).toMatchObject({ code: "MIGRATION_FAILED" });
    expect(error.message).toMatch(/^0002_bad.sql failed: syntax error/);
    expect(await shop.tables()).toEqual([]);
  });

  test.each([["0003_gap.sql"], ["2_short.sql"], ["0001_twice.sql"]])(
    "rejects %s beside 0001_items.sql",
    async (name) => {
      await using shop = await setUp({ ...first, [name]: "select 1" });
      await expect(migrate(shop.db, shop.set)).rejects.toThrow(/was expected/);
    },
  );

  test("an older process may start beside a newer one, and leaves what that has done", async () => {
    await using shop = await setUp({ ...first, "0002_note.sql": "alter table item add note text" });
    await migrate(shop.db, shop.set);
    await shop.remove("0002_note.sql");
    await migrate(shop.db, shop.set);
    expect((await shop.db.query({ text: "select * from item" })).rows).toEqual([
      { id: 1, note: null },
    ]);
    const applied = await shop.db.query({ text: "select file from migrations_shop order by 1" });
    expect(applied.rows.map((row) => row.file)).toEqual(["0001_items.sql", "0002_note.sql"]);
  });
});
