import { expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, migrate, withTransaction } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/store/testing";
import { claimMessages, inboxMigrations, pruneInbox } from "../src/index.ts";

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
