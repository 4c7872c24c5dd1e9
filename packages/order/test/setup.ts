/** An order service without its server: the use cases on a real database, with a world in memory around them. */
import { inboxMigrations, outboxMigrations } from "@smartcart/bus";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/store/testing";
import { listHistory } from "../src/store.ts";
import { startProcess } from "./order-process.ts";
import { createWorld } from "./scripted-peers.ts";

export async function setUp() {
  await using started = new AsyncDisposableStack();
  const { database } = started.use(await openOrders());
  const { world, peers } = createWorld();
  const process = startProcess({ database, peers });
  const running = started.move();
  return {
    ...process,
    world,
    database,
    history: (orderId: string) => milestonesOf(database, orderId),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A database of its own, with the tables of the order service. */
export async function openOrders(): Promise<{ database: Database } & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const { url } = started.use(await createTestDatabase());
  const database = started.use(createDatabase({ url, schema: "orders", log: silentLogger }));
  const directory = new URL("../migrations/", import.meta.url);
  await migrate(database, { name: "orders", directory });
  await migrate(database, outboxMigrations);
  await migrate(database, inboxMigrations);
  const running = started.move();
  return { database, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

export async function milestonesOf(database: Database, orderId: string) {
  return (await listHistory(database, orderId, 0)).map((entry) => entry.milestone);
}
