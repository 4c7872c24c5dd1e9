/** An order service without its server: the use cases on a real database, with a world in memory around them. */
import { fromBinary } from "@bufbuild/protobuf";
import { outboxMigrations } from "@smartcart/bus";
import { OrderStatusesChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestoneSchema } from "@smartcart/gen/order/v1/order_milestone_pb";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import { listHistory } from "../src/store/read-orders.ts";
import type { ProcessOptions } from "./order-process.ts";
import { startProcess } from "./order-process.ts";
import { createWorld } from "./scripted-peers.ts";

export async function setUp(options: Pick<ProcessOptions, "slowAfterMs"> = {}) {
  await using started = new AsyncDisposableStack();
  const { database } = started.use(await openOrders());
  const { world, peers } = createWorld();
  const process = startProcess({ database, peers, ...options });
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
  const running = started.move();
  return { database, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What stands in the outbox for an order: "3 PAYMENT_CONFIRMED" for each status, the routing key for all else. */
export async function publishedOf(database: Database, orderId: string): Promise<string[]> {
  const { rows } = await database.query<OutboxRow>({
    text: "select routing_key, type, ordering_key, body from outbox where ordering_key in ($1, '') order by position",
    values: [orderId],
  });
  return rows.flatMap((row) => {
    if (row.type !== OrderStatusesChangedSchema.typeName) {
      return row.ordering_key === orderId ? [row.routing_key] : [];
    }
    // The statuses of several orders may share a row.
    const { changes } = fromBinary(OrderStatusesChangedSchema, row.body);
    return changes
      .filter((change) => change.orderId === orderId)
      .map(
        ({ sequence, milestone }) =>
          `${sequence} ${OrderMilestoneSchema.value[milestone]?.localName}`,
      );
  });
}

interface OutboxRow {
  readonly routing_key: string;
  readonly type: string;
  readonly ordering_key: string;
  readonly body: Uint8Array;
}

export async function milestonesOf(database: Database, orderId: string) {
  return (await listHistory(database, orderId, 0)).map((entry) => entry.milestone);
}
