import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel } from "rabbitmq-client";
import { Connection } from "rabbitmq-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderStatusChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { StartError, silentLogger } from "@smartcart/runtime";
import type { PrivateBroker } from "@smartcart/testkit";
import {
  addVirtualHost,
  canTestRabbitmq,
  findRabbitmq,
  startPrivateBroker,
} from "@smartcart/testkit";
import type { EventBus, OutgoingEvent } from "../src/index.ts";
import { openBus } from "../src/index.ts";
import { orderPlaced, statusChanged } from "./events.ts";
import { eventually } from "./eventually.ts";

await canTestRabbitmq();

describe.skipIf(!(await findRabbitmq()))("a private RabbitMQ", () => {
  let directory: string;
  let broker: PrivateBroker;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "smartcart-broker-"));
    broker = await startPrivateBroker({ directory, log: silentLogger });
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("has the topology of the contract", async () => {
    await using stage = await prepare();
    const list = async (what: string, columns: string) =>
      JSON.parse(
        await broker.ctl("-q", what, "-p", stage.vhost, ...columns.split(" "), "--formatter=json"),
      );

    const queues = await list("list_queues", "name type durable arguments");
    expect(byName(queues)).toEqual({
      orders: workQueue("orders"),
      "orders.retry.1s": retryQueue("orders", 1_000),
      "orders.retry.10s": retryQueue("orders", 10_000),
      "orders.retry.60s": retryQueue("orders", 60_000),
      "orders.dlq": quorum({ "x-delivery-limit": 1_000_000 }),
      shipments: workQueue("shipments"),
      "shipments.retry.1s": retryQueue("shipments", 1_000),
      "shipments.retry.10s": retryQueue("shipments", 10_000),
      "shipments.retry.60s": retryQueue("shipments", 60_000),
      "shipments.dlq": quorum({ "x-delivery-limit": 1_000_000 }),
      logs: quorum({ "x-delivery-limit": 20 }),
      "logs.retry.1s": retryQueue("logs", 1_000),
      "smartcart.unrouted": quorum({ "x-max-length": 10_000, "x-overflow": "drop-head" }),
    });
    const exchanges = byName(await list("list_exchanges", "name type durable arguments"));
    expect(exchanges["smartcart.events"]).toEqual({
      type: "topic",
      durable: true,
      arguments: { "alternate-exchange": "smartcart.unrouted" },
    });
    expect(exchanges["smartcart.dlx"]).toMatchObject({ type: "direct", durable: true });
  });

  it("gives each subscriber a queue of its own that goes with it", async () => {
    await using stage = await prepare();
    const columns = ["name", "type", "durable", "exclusive", "auto_delete", "--formatter=json"];
    const own = async () => {
      const all = JSON.parse(await broker.ctl("-q", "list_queues", "-p", stage.vhost, ...columns));
      return all.filter((queue: { name: string }) => queue.name.startsWith("hub."));
    };
    {
      await using _ = await listen(stage.bus);
      await using __ = await listen(stage.bus);
      const expected = { type: "classic", durable: false, exclusive: true, auto_delete: true };
      expect(await own()).toMatchObject([expected, expected]);
      const bindings = await broker.ctl("-q", "list_bindings", "-p", stage.vhost, "routing_key");
      expect(bindings.match(/order\.status\.#/g)).toHaveLength(2);
    }
    await eventually(own, (queues) => queues.length === 0);
  });

  it("publishes durable protobuf with all properties, on a connection apart from the consumers'", async () => {
    await using stage = await prepare();
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const event = { ...orderPlaced("ORD-1"), traceparent };
    await stage.bus.publish([event]);
    const message = await stage.raw((channel) =>
      channel.basicGet({ queue: "orders", noAck: true }),
    );
    expect(message).toMatchObject({
      exchange: "smartcart.events",
      routingKey: "order.placed",
      contentType: "application/protobuf",
      type: "smartcart.events.v1.OrderPlaced",
      messageId: event.id,
      durable: true,
      headers: { traceparent, "x-attempt": 1 },
    });
    expect(message?.body).toEqual(Buffer.from(event.body));
    const clients = JSON.parse(
      await broker.ctl(
        "-q",
        "list_connections",
        "vhost",
        "client_properties",
        "timeout",
        "--formatter=json",
      ),
    ).filter((client: { vhost: string }) => client.vhost === stage.vhost);
    const names = clients.map((client: { client_properties: unknown }) =>
      JSON.stringify(client.client_properties),
    );
    expect(names.filter((name: string) => name.includes("test publish"))).toHaveLength(1);
    expect(names.filter((name: string) => name.includes("test consume"))).toHaveLength(1);
    expect(
      clients.every((client: { timeout: number }) => client.timeout >= 5 && client.timeout <= 10),
    ).toBe(true);
  });

  it("keeps what no queue takes, and says so where even that is not possible", async () => {
    await using stage = await prepare();
    const [kept, lost] = [orderPlaced("ORD-1"), orderPlaced("ORD-2")];
    await stage.raw((channel) => channel.queueDelete({ queue: "orders" }));
    expect((await stage.bus.publish([kept])).confirmed).toEqual([kept.id]);
    const unrouted = await stage.raw((channel) =>
      channel.basicGet({ queue: "smartcart.unrouted" }),
    );
    expect(unrouted?.messageId).toBe(kept.id);
    await stage.raw((channel) => channel.queueDelete({ queue: "smartcart.unrouted" }));
    expect(await stage.bus.publish([lost])).toEqual({
      confirmed: [],
      unknown: [],
      unroutable: [lost.id],
    });
  });

  it("takes no more messages than a small multiple of its batch", async () => {
    await using stage = await prepare();
    const blocked = Promise.withResolvers<void>();
    let handled = 0;
    await using _ = await stage.bus.consume("orders", {
      name: "slow",
      log: silentLogger,
      maxBatch: 5,
      async handle(batch) {
        handled += batch.length;
        if (handled > 20) await blocked.promise;
        return batch.map(() => ({ kind: "ack" }));
      },
    });
    await stage.bus.publish(Array.from({ length: 100 }, (_, index) => orderPlaced(`ORD-${index}`)));
    const columns = ["name", "messages_unacknowledged", "--formatter=json"];
    const unanswered = async () => {
      const all = JSON.parse(await broker.ctl("-q", "list_queues", "-p", stage.vhost, ...columns));
      return all.find((queue: { name: string }) => queue.name === "orders").messages_unacknowledged;
    };
    await eventually(unanswered, (count) => count > 1);
    expect(await unanswered()).toBeLessThanOrEqual(15);
    blocked.resolve();
  });

  it("finds a message that has cost too many consumers among the dead letters", async () => {
    await using stage = await prepare();
    const event = orderPlaced("ORD-1");
    await stage.bus.publish([event]);
    const dead = stage.bus.deadLetters("orders");
    // Each look without an answer stands for a consumer that died.
    const crash = () => stage.raw((channel) => channel.basicGet({ queue: "orders" }));
    await eventually(
      async () => (await crash()) ?? (await dead.count()),
      (left) => left === 1,
    );
    expect(await dead.list()).toMatchObject([
      { id: event.id, reason: "dead-lettered by the broker: delivery_limit" },
    ]);
  });

  it("loses nothing when the broker stops while it is published to and consumed from", async () => {
    await using stage = await prepare();
    const received = new Set<string>();
    await using consumer = await stage.bus.consume("orders", {
      name: "shipping",
      log: silentLogger,
      maxBatch: 50,
      async handle(batch) {
        for (const { id } of batch) received.add(id);
        return batch.map(() => ({ kind: "ack" }));
      },
    });
    await using hub = await listen(stage.bus);
    const sent: string[] = [];
    const stop = new AbortController();
    const publishing = publishUntil(stage.bus, stop.signal, sent);
    await eventually(
      () => received.size,
      (count) => count > 100,
    );

    await broker.ctl("-q", "stop_app");
    await eventually(
      () => consumer.ready(),
      (ready) => !ready,
    );
    await expect(stage.bus.check()).rejects.toThrow();
    const lost = orderPlaced("ORD-down");
    expect((await stage.bus.publish([lost], { timeoutMs: 200 })).unknown).toEqual([lost.id]);
    const sentBefore = sent.length;
    await broker.ctl("-q", "start_app");

    await eventually(
      () => sent.length,
      (count) => count > sentBefore + 100,
      45_000,
    );
    stop.abort();
    await publishing;
    await eventually(
      () => sent.every((id) => received.has(id)),
      (all) => all,
    );
    await eventually(
      () => consumer.ready() && hub.gaps() > 0,
      (restored) => restored,
    );
    await stage.bus.check();
    await stage.bus.publish([statusChanged("ORD-1", 7)]);
    await eventually(
      () => hub.heard.at(-1)?.sequence,
      (sequence) => sequence === 7,
    );
  });

  it("rejects queues that another client has declared with other settings", async () => {
    const { amqpUrl } = await addVirtualHost(broker);
    await raw(amqpUrl, (channel) => channel.queueDeclare({ queue: "orders", durable: true }));
    const opening = openBus({ amqpUrl, databaseUrl: "", name: "test", log: silentLogger });
    await expect(opening).rejects.toThrow(StartError);
    await expect(opening).rejects.toThrow(/other settings; delete it/);
  });

  it("finds its messages again after a restart of the node", async () => {
    const event = orderPlaced("ORD-1");
    {
      await using stage = await prepare("/");
      await stage.bus.publish([event]);
    }
    await broker[Symbol.asyncDispose]();
    broker = await startPrivateBroker({ directory, log: silentLogger });
    await using stage = await prepare("/");
    const message = await stage.raw((channel) =>
      channel.basicGet({ queue: "orders", noAck: true }),
    );
    expect(message?.messageId).toBe(event.id);
  });

  /** A bus in an empty virtual host, and a channel beside it. */
  async function prepare(existing?: string) {
    const { vhost, amqpUrl } =
      existing === undefined
        ? await addVirtualHost(broker)
        : { vhost: existing, amqpUrl: broker.amqpUrl };
    const bus = await openBus({ amqpUrl, databaseUrl: "", name: "test", log: silentLogger });
    return {
      vhost,
      bus,
      raw: <T>(use: (channel: Channel) => Promise<T>) => raw(amqpUrl, use),
      [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
    };
  }
});

async function raw<T>(amqpUrl: string, use: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = new Connection(amqpUrl);
  const channel = await connection.acquire();
  try {
    return await use(channel);
  } finally {
    await channel.close();
    await connection.close();
  }
}

/** Publishes small batches and resends what is unknown, as a relay does. */
async function publishUntil(bus: EventBus, signal: AbortSignal, sent: string[]): Promise<void> {
  let batch: OutgoingEvent[] = [];
  for (let number = 0; !signal.aborted || batch.length > 0; number++) {
    if (batch.length === 0)
      batch = [0, 1, 2].map((step) => orderPlaced(`ORD-${number * 3 + step}`));
    const { confirmed } = await bus.publish(batch, { timeoutMs: 500 });
    sent.push(...confirmed);
    batch = batch.filter(({ id }) => !confirmed.includes(id));
  }
}

async function listen(bus: EventBus) {
  const heard: OrderStatusChanged[] = [];
  let gaps = 0;
  const subscriber = await bus.subscribe(OrderStatusChangedSchema, {
    name: "hub",
    log: silentLogger,
    onEvents: (events) => heard.push(...events),
    onGap: () => gaps++,
  });
  return {
    heard,
    gaps: () => gaps,
    [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose](),
  };
}

/** By name, with arguments as an object: rabbitmqctl prints each as name, AMQP type and value. */
function byName(
  rows: { name: string; arguments: [string, string, unknown][] }[],
): Record<string, unknown> {
  return Object.fromEntries(
    rows.map(({ name, arguments: triples, ...rest }) => {
      const pairs = triples.map(([key, , value]) => [key, value]);
      return [name, { ...rest, arguments: Object.fromEntries(pairs) }];
    }),
  );
}

function quorum(own: object) {
  return { type: "quorum", durable: true, arguments: { "x-queue-type": "quorum", ...own } };
}

function workQueue(name: string) {
  return quorum({ "x-delivery-limit": 20, ...deadLetterTo("smartcart.dlx", name) });
}

function retryQueue(name: string, delayMs: number) {
  return quorum({ "x-message-ttl": delayMs, ...deadLetterTo("", name) });
}

function deadLetterTo(exchange: string, routingKey: string) {
  return {
    "x-dead-letter-exchange": exchange,
    "x-dead-letter-routing-key": routingKey,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
  };
}
