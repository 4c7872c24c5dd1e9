import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, skipPgBouncer, startPgBouncer } from "@smartcart/testkit";
import { createDatabase, migrate, openDatabaseServer } from "../src/index.ts";
import { openingOf } from "./opening.ts";

describe.skipIf(skipPgBouncer())("behind PgBouncer", () => {
  test.each([
    ["that rejects start-up parameters", ""],
    ["that drops them", "options,statement_timeout,idle_in_transaction_session_timeout"],
  ])("in session mode %s, each schema is its own", async (_, ignoredParameters) => {
    await using direct = await createTestDatabase();
    await using bouncer = await startPgBouncer({
      target: direct.url,
      poolMode: "session",
      ignoredParameters,
    });
    await using server = await openDatabaseServer({
      databaseUrl: bouncer.url,
      stateDirectory: "/nonexistent",
      log: silentLogger,
    });
    await using set = await oneMigration();
    for (const schema of ["orders", "shipping"]) {
      await using db = createDatabase({ url: server.url, schema, log: silentLogger });
      await migrate(db, { name: "shop", directory: set.directory });
      await db.query({ text: "insert into outbox values ($1)", values: [schema] });
      const { rows } = await db.query({
        text: "select current_setting('search_path') as path, current_setting('statement_timeout') as timeout, current_setting('client_encoding') as encoding",
      });
      expect(rows).toEqual([{ path: schema, timeout: "10s", encoding: "UTF8" }]);
    }
    expect(await tablesOf(direct.url)).toEqual(["orders.outbox", "shipping.outbox"]);
  });

  test.each(["transaction", "statement"] as const)(
    "%s mode is rejected with one sentence, before anything is written",
    async (poolMode) => {
      await using direct = await createTestDatabase();
      for (const poolSize of [1, 2, 20]) {
        await using bouncer = await startPgBouncer({ target: direct.url, poolMode, poolSize });
        // several times: which of its connections a pooler takes is up to it
        for (let i = 0; i < 3; i++) {
          expect(await openingOf(bouncer.url)).toMatch(
            /^ends: StartError DATABASE_URL: PostgreSQL at 127.*session mode \(pool_mode = session\)/,
          );
        }
      }
      expect(await tablesOf(direct.url)).toEqual([]);
    },
  );

  test("a pool of one connection is waited for, and the line says what is missing", async () => {
    await using direct = await createTestDatabase();
    await using bouncer = await startPgBouncer({
      target: direct.url,
      poolMode: "session",
      poolSize: 1,
    });
    expect(await openingOf(bouncer.url)).toMatch(/^waits: .*a pooler needs more of them/);
  });

  test("a parameter in the URL that it rejects ends the start", async () => {
    await using direct = await createTestDatabase();
    await using bouncer = await startPgBouncer({ target: direct.url, poolMode: "session" });
    const url = new URL(bouncer.url);
    url.searchParams.set("options", "-cwork_mem=1MB");
    expect(await openingOf(url.href)).toMatch(/^ends: .*unsupported startup parameter.*pooler/);
  });
});

test("?options= in DATABASE_URL is kept, and does not lead to another schema", async () => {
  await using direct = await createTestDatabase();
  const url = new URL(direct.url);
  url.searchParams.set("options", "-csearch_path=elsewhere -cwork_mem=5MB -cstatement_timeout=0");
  expect(await openingOf(url.href)).toBe("opened");
  await using db = createDatabase({ url: url.href, schema: "orders", log: silentLogger });
  await using set = await oneMigration();
  await migrate(db, { name: "shop", directory: set.directory });
  const { rows } = await db.query({
    text: "select current_setting('work_mem') as work_mem, current_setting('statement_timeout') as timeout",
  });
  expect(rows).toEqual([{ work_mem: "5MB", timeout: "10s" }]);
  expect(await tablesOf(direct.url)).toEqual(["orders.outbox"]);
});

async function oneMigration() {
  const folder = await mkdtemp(join(tmpdir(), "smartcart-migrations-"));
  await writeFile(join(folder, "0001_outbox.sql"), "create table outbox (id text)");
  return {
    directory: pathToFileURL(`${folder}/`),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Tables that were made, but for those of the migrations themselves. */
async function tablesOf(url: string): Promise<string[]> {
  await using db = createDatabase({ url, schema: "public", log: silentLogger });
  const { rows } = await db.query<{ name: string }>({
    text: `select schemaname || '.' || tablename as name from pg_tables
           where schemaname not in ('pg_catalog', 'information_schema') and tablename !~ '^migrations' order by 1`,
  });
  return rows.map(({ name }) => name);
}
