import { expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, migrate, withTransaction } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/store/testing";
import { pruneInbox } from "../src/inbox.ts";
import { claimMessages, inboxMigrations, startInboxPruning } from "../src/index.ts";

it("tells a message seen for the first time from a copy, per consumer, with its transaction", async () => {
  await using server = await createTestDatabase();
  await using database = createDatabase({ url: server.url, schema: "shop", log: silentLogger });
  await migrate(database, inboxMigrations);
  const claim = (consumer: string, ids: string[]) =>
    withTransaction(database, "test", (tx) => claimMessages(tx, consumer, ids));

  expect(await claim("shipping", ["a", "b", "a"])).toEqual(new Set(["a", "b"]));
  expect(await claim("shipping", ["b", "c"])).toEqual(new Set(["c"]));
  expect(await claim("order", ["a"])).toEqual(new Set(["a"]));

  const failed = withTransaction(database, "test", async (tx) => {
    await claimMessages(tx, "shipping", ["d"]);
    throw new Error("no disk");
  });
  await expect(failed).rejects.toThrow("no disk");
  expect(await claim("shipping", ["d"])).toEqual(new Set(["d"]));

  expect(await pruneInbox(database, 3_600_000)).toBe(0);
  expect(await pruneInbox(database, 0)).toBe(5);
  expect(await claim("shipping", ["a"])).toEqual(new Set(["a"]));
});

it("forgets as fast as messages come: all that is due, some at a time", async () => {
  await using server = await createTestDatabase();
  await using database = createDatabase({ url: server.url, schema: "shop", log: silentLogger });
  await migrate(database, inboxMigrations);
  await database.query({
    text: `insert into inbox (consumer, message_id, claimed_at)
           select 'shipping', n::text, now() - (case when n <= 35000 then 2 else 0 end) * interval '1 hour'
           from generate_series(1, 35100) as n`,
  });
  expect(await pruneInbox(database, 3_600_000)).toBe(35_000);
  expect(await pruneInbox(database, 3_600_000)).toBe(0);
  expect(await pruneInbox(database, 0, AbortSignal.abort())).toBe(0);
});

it("refuses to remember nothing", async () => {
  await using server = await createTestDatabase();
  await using database = createDatabase({ url: server.url, schema: "shop", log: silentLogger });
  const start = () => startInboxPruning({ name: "x", database, log: silentLogger, keptHours: 0 });
  expect(start).toThrow(/INBOX_KEPT_HOURS.*set it to 1 or more/);
});
