import { create, isMessage } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import type { EventBus, OutgoingEvent } from "@smartcart/bus";
import { createEvent, insertOutbox, openBus, outboxMigrations } from "@smartcart/bus";
import {
  OrderPlacedSchema,
  OrderStatusChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { parseConfig, silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestBroker, createTestDatabase } from "@smartcart/testkit";
import { notificationConfig, startNotification } from "../src/index.ts";

const patience = { timeout: 15_000 };
const engines = ["postgres", "rabbitmq"] as const;

/** A database with the outbox of the order service, and a queue with listeners. */
interface World extends AsyncDisposable {
  readonly orders: Database;
  readonly bus: EventBus;
  /** Order ids that reached queue `orders`. */
  readonly placed: readonly string[];
  /** "ORD-1 3", as heard by one of maybe many hubs. */
  readonly statuses: readonly string[];
  start(): Promise<RunningService>;
}

async function createWorld(engine: (typeof engines)[number]): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const amqpUrl =
    engine === "rabbitmq" ? starting.use(await createTestBroker()).amqpUrl : undefined;
  const log = silentLogger;
  const bus = starting.use(await openBus({ amqpUrl, databaseUrl, name: "test", log }));
  const orders = starting.use(createDatabase({ url: databaseUrl, schema: "orders", log }));
  await migrate(orders, outboxMigrations);
  const placed: string[] = [];
  const statuses: string[] = [];
  starting.use(
    await bus.consume("orders", {
      name: "test",
      log,
      maxBatch: 100,
      async handle(batch) {
        for (const { message } of batch) {
          if (isMessage(message, OrderPlacedSchema)) placed.push(message.orderId);
        }
        return batch.map(() => ({ kind: "ack" }));
      },
    }),
  );
  starting.use(
    await bus.subscribe(OrderStatusChangedSchema, {
      name: "test",
      log,
      onEvents: (events) => statuses.push(...events.map((one) => `${one.orderId} ${one.sequence}`)),
      onGap() {},
    }),
  );
  const running = starting.move();
  return {
    orders,
    bus,
    placed,
    statuses,
    start() {
      const config = parseConfig({ NOTIFICATION_PORT: "0" }, notificationConfig);
      return startNotification({ config, databaseUrl, bus, log });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function placedEvent(orderId: string): OutgoingEvent {
  const message = create(OrderPlacedSchema, { orderId, userId: "u1" });
  return createEvent(OrderPlacedSchema, message, { id: `${orderId}:placed` });
}

function statusEvent(orderId: string, sequence: number): OutgoingEvent {
  const milestone = OrderMilestone.RECEIVED;
  const message = create(OrderStatusChangedSchema, {
    ...{ orderId, userId: "u1", sequence, milestone },
    occurredAt: timestampNow(),
  });
  return createEvent(OrderStatusChangedSchema, message, { id: `${orderId}:${sequence}` });
}

async function pending({ orders }: World): Promise<number> {
  const { rows } = await orders.query({ text: "SELECT count(*)::int AS count FROM outbox" });
  return rows[0]?.count ?? -1;
}

test.each(engines)(
  "on %s, what stands in the outbox reaches the queue, in order, and leaves the outbox",
  async (engine) => {
    await using world = await createWorld(engine);
    // Written while no relay runs, as after a crash.
    await insertOutbox(world.orders, [placedEvent("ORD-1"), statusEvent("ORD-1", 1)]);
    await using _one = await world.start();
    await using _other = await world.start();
    const sequences = Array.from({ length: 20 }, (_, index) => index + 2);
    for (const sequence of sequences) {
      await insertOutbox(world.orders, [
        statusEvent("ORD-1", sequence),
        statusEvent("ORD-2", sequence),
      ]);
    }
    await expect.poll(() => pending(world), patience).toBe(0);
    await expect.poll(() => world.placed, patience).toEqual(["ORD-1"]);
    await expect.poll(() => world.statuses.length, patience).toBe(41);
    const heard = (orderId: string) =>
      world.statuses.filter((one) => one.startsWith(`${orderId} `));
    expect(heard("ORD-1")).toEqual([1, ...sequences].map((sequence) => `ORD-1 ${sequence}`));
    expect(heard("ORD-2")).toEqual(sequences.map((sequence) => `ORD-2 ${sequence}`));
  },
);

test("it is ready, and says how much is pending", async () => {
  await using world = await createWorld("postgres");
  await using notification = await world.start();
  expect((await fetch(`${notification.url}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${notification.url}/metrics`)).text();
  expect(metrics).toMatch(/^smartcart_outbox_pending\{service="notification"\} 0$/m);
});

test("it may be the first to come to an empty database", async () => {
  await using database = await createTestDatabase();
  const { url: databaseUrl } = database;
  await using bus = await openBus({ databaseUrl, name: "test", log: silentLogger });
  const config = parseConfig({ NOTIFICATION_PORT: "0" }, notificationConfig);
  await using notification = await startNotification({
    config,
    databaseUrl,
    bus,
    log: silentLogger,
  });
  expect((await fetch(`${notification.url}/healthz`)).status).toBe(200);
});

test("a port that is taken is one line that names the variable", async () => {
  await using world = await createWorld("postgres");
  await using running = await world.start();
  const config = parseConfig({ NOTIFICATION_PORT: `${running.port}` }, notificationConfig);
  const { bus, orders } = world;
  const starting = startNotification({ config, databaseUrl: orders.url, bus, log: silentLogger });
  await expect(starting).rejects.toMatchObject({ variable: "NOTIFICATION_PORT" });
});
