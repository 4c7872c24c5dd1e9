import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { queueTypeOf } from "@smartcart/contract";
import { OrderStatusChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, withTransaction } from "@smartcart/store";
import { createDetachableDatabase, createTestDatabase } from "@smartcart/testkit";
import type { ConsumeOptions, Delivery, EventBus, OutgoingEvent } from "../src/index.ts";
import { openBus } from "../src/index.ts";
import { releaseAbandoned } from "../src/postgres/claim-store.ts";
import { readFanout, touchSubscriber } from "../src/postgres/fan-out-store.ts";
import type { Settlement } from "../src/postgres/message-store.ts";
import { LostClaimError, receive, storeMessages } from "../src/postgres/message-store.ts";
import { describeContract } from "./contract-suite.ts";
import { orderPlaced, statusChanged } from "./events.ts";
import { eventually } from "./eventually.ts";
import { startVictim } from "./victim.ts";

describeContract("PostgreSQL", async () => {
  const server = await createTestDatabase();
  return {
    options: { databaseUrl: server.url },
    async put(queue, { body, id = "", type = "", attempt = 1 }) {
      await using database = createDatabase({
        url: server.url,
        schema: "queue",
        log: silentLogger,
      });
      // What a client in another language can do with SQL alone.
      await database.query({
        text: `with put as (insert into message (queue, body, message_id, type, attempt) values ($1, $2, $3, $4, $5))
               select pg_notify('smartcart_queue', $1)`,
        values: [queue, Buffer.from(body), id, type, attempt],
      });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

const orders = queueTypeOf("orders");
const ack = async (batch: readonly Delivery[]) => batch.map(() => ({ kind: "ack" }) as const);
/** No bus has this number, so a consumer that claims with it counts as dead. */
const deadInstance = 0;

describe("the PostgreSQL queue", () => {
  it("takes no more at once than a consumer can, in order", async () => {
    await using stage = await prepare();
    const batches: number[] = [];
    const events = Array.from({ length: 95 }, (_, index) => orderPlaced(`ORD-${index}`));
    await stage.bus.publish(events);
    const ids: string[] = [];
    await using _ = await consume(stage.bus, async (batch) => {
      batches.push(batch.length);
      ids.push(...batch.map(({ id }) => id));
      return await ack(batch);
    });
    await eventually(
      () => ids.length,
      (count) => count >= 95,
    );
    expect(ids).toEqual(events.map(({ id }) => id));
    expect(Math.max(...batches)).toBe(10);
  });

  it("never has one message in the hands of two consumers", async () => {
    await using stage = await prepare();
    await using other = await stage.open();
    const held = new Set<string>();
    const handled: string[] = [];
    const twice: string[] = [];
    const handle = async (batch: readonly Delivery[]) => {
      for (const { id } of batch) {
        if (held.has(id)) twice.push(id);
        held.add(id);
      }
      await sleep(Math.random() * 5);
      for (const { id } of batch) held.delete(id);
      handled.push(...batch.map(({ id }) => id));
      return await ack(batch);
    };
    await using consumers = new AsyncDisposableStack();
    for (const bus of [stage.bus, other, stage.bus, other]) {
      consumers.use(await consume(bus, handle, 7));
    }
    const events = Array.from({ length: 600 }, (_, index) => orderPlaced(`ORD-${index}`));
    const publishes = Array.from({ length: 60 }, (_, index) =>
      stage.bus.publish(events.slice(index * 10, index * 10 + 10)),
    );
    await Promise.all(publishes);
    await eventually(
      () => handled.length,
      (count) => count >= 600,
    );
    expect(twice).toEqual([]);
    expect(handled.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
  });

  it("gives what a killed process had in hand to a consumer that runs, as the same attempt", async () => {
    await using stage = await prepare();
    const events = Array.from({ length: 40 }, (_, index) => orderPlaced(`ORD-${index}`));
    await using victim = await startVictim(stage.options, "orders", 16);
    await stage.bus.publish(events);
    await victim.said("holding ORD-15");
    const seen: Delivery[] = [];
    await using _ = await consume(stage.bus, async (batch) => {
      seen.push(...batch);
      return await ack(batch);
    });
    await eventually(
      () => seen.length,
      (count) => count === 24,
    );
    // It has it for as long as it lives.
    expect(seen.map(({ id }) => id)).toEqual(events.slice(16).map(({ id }) => id));
    await victim[Symbol.asyncDispose]();
    await eventually(
      () => seen.length,
      (count) => count >= 40,
    );
    expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(events.map(({ id }) => id)));
    expect(seen.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(await stage.bus.depths()).toMatchObject({ orders: 0 });
  });

  it("takes away what a process that hangs has in hand", { timeout: 90_000 }, async () => {
    await using stage = await prepare();
    await using victim = await startVictim(stage.options);
    await stage.bus.publish([orderPlaced("ORD-1")]);
    await victim.said("holding ORD-1");
    victim.signal("SIGSTOP");
    const seen: Delivery[] = [];
    await using _ = await consume(stage.bus, async (batch) => {
      seen.push(...batch);
      return await ack(batch);
    });
    await eventually(
      () => seen.length,
      (count) => count === 1,
      60_000,
    );
  });

  it("gives up a message that costs every consumer its life, and only that", async () => {
    await using stage = await prepare();
    const events = Array.from({ length: 10 }, (_, index) => orderPlaced(`ORD-${index}`));
    await stage.bus.publish(events);
    const poison = events[4]?.id;
    const acknowledged: string[] = [];
    const consumer = randomUUID();
    let settlement: Settlement | undefined;
    for (let deaths = 0; deaths <= orders.deliveryLimit; ) {
      const step = { queue: orders, consumer, instance: deadInstance, maxMessages: 10, settlement };
      const { messages } = await receive(stage.database, step);
      settlement = undefined;
      if (messages.length === 0) break;
      if (messages.some(({ raw }) => raw.id === poison)) {
        deaths++;
        await releaseAbandoned(stage.database);
      } else {
        settlement = { messages, steps: messages.map(() => ({ kind: "remove" })) };
        acknowledged.push(...messages.map(({ raw }) => raw.id));
      }
    }
    const dead = stage.bus.deadLetters("orders");
    expect(await dead.count()).toBe(0);
    await using _ = await consume(stage.bus, async (batch) => {
      acknowledged.push(...batch.map(({ id }) => id));
      return await ack(batch);
    });
    await eventually(
      () => acknowledged.length,
      (count) => count >= 9,
    );
    const others = events.map(({ id }) => id).filter((id) => id !== poison);
    expect(acknowledged).toEqual(others);
    const deadLetters = await eventually(
      () => dead.list(),
      (all) => all.length === 1,
    );
    const reason = "too many deliveries ended without an outcome";
    expect(deadLetters).toMatchObject([{ id: poison, attempt: 1, reason }]);
  });

  it("does nothing for a consumer whose messages were taken over meanwhile", async () => {
    await using stage = await prepare();
    await stage.bus.publish([orderPlaced("ORD-1")]);
    const late = { queue: orders, consumer: randomUUID(), instance: deadInstance, maxMessages: 1 };
    const first = await receive(stage.database, { ...late, settlement: undefined });
    await releaseAbandoned(stage.database);
    const heir = { ...late, consumer: randomUUID() };
    const second = await receive(stage.database, { ...heir, settlement: undefined });
    expect(second.messages).toMatchObject([{ deliveries: 1 }]);
    const steps = [{ kind: "dead-letter", reason: "late" }] as const;
    const settling = receive(stage.database, {
      ...late,
      settlement: { messages: first.messages, steps },
    });
    await expect(settling).rejects.toThrow(LostClaimError);
    await receive(stage.database, {
      ...heir,
      maxMessages: 0,
      settlement: { messages: second.messages, steps: [{ kind: "remove" }] },
    });
    const { rowCount } = await stage.database.query({ text: "select from message" });
    expect(rowCount).toBe(0);
  });

  it("delivers a delayed message when it is due, also after its consumer has died", async () => {
    await using stage = await prepare();
    await using other = await stage.open();
    const event = orderPlaced("ORD-1");
    const first = await consume(other, async (batch) =>
      batch.map(() => ({ kind: "retry", reason: "no van" }) as const),
    );
    await stage.bus.publish([event]);
    await eventually(
      () => stage.bus.depths(),
      (depths) => depths["orders.retry"] === 1,
    );
    await first[Symbol.asyncDispose]();
    const seen: Delivery[] = [];
    await using _ = await consume(stage.bus, async (batch) => {
      seen.push(...batch);
      return await ack(batch);
    });
    await eventually(
      () => seen,
      (all) => all.length === 1,
    );
    expect(seen[0]).toMatchObject({ id: event.id, attempt: 2 });
    const { rowCount } = await stage.database.query({ text: "select from message" });
    expect(rowCount).toBe(0);
  });

  it("redrives each dead letter once, also those that die again at once", async () => {
    await using stage = await prepare();
    const events = Array.from({ length: 5 }, (_, index) => orderPlaced(`ORD-${index}`));
    let deaths = 0;
    await using _ = await consume(stage.bus, async (batch) => {
      deaths += batch.length;
      return batch.map(() => ({ kind: "dead-letter", reason: "no\0 such street \ud800" }) as const);
    });
    await stage.bus.publish(events);
    const dead = stage.bus.deadLetters("orders");
    const all = () =>
      eventually(
        () => dead.count(),
        (count) => count === 5,
      );
    await all();
    expect(await dead.redrive("all", { maxPerSecond: 50 })).toBe(5);
    await all();
    expect(deaths).toBe(10);
    const deadLetters = await dead.list();
    expect(deadLetters.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(deadLetters[0]?.reason).toMatch(/^no\ufffd such street/);
  });

  it("goes on after all its connections were cut, and misses no fan-out event", async () => {
    await using stage = await prepare();
    const ids = new Set<string>();
    await using consumer = await consume(stage.bus, async (batch) => {
      for (const { id } of batch) ids.add(id);
      return await ack(batch);
    });
    await using hub = await listen(stage.bus);
    const all: OutgoingEvent[] = [];
    for (let round = 1; round <= 5; round++) {
      await stage.cut();
      let batch = [orderPlaced(`ORD-${round}`), statusChanged("ORD-1", round)];
      all.push(...batch);
      while (batch.length > 0) {
        const { confirmed } = await stage.bus.publish(batch);
        batch = batch.filter(({ id }) => !confirmed.includes(id));
      }
    }
    await eventually(
      () => ids.size,
      (count) => count === 5,
    );
    await eventually(
      () => hub.heard.length,
      (count) => count >= 5,
    );
    expect(hub.heard).toEqual([1, 2, 3, 4, 5]);
    await eventually(
      () => consumer.ready(),
      (ready) => ready,
    );
  });

  it("attaches what starts while the database is away once that is back", async () => {
    await using server = await createDetachableDatabase();
    await using bus = await openBus({ databaseUrl: server.url, name: "test", log: silentLogger });
    await server.detach();
    const ids: string[] = [];
    const consuming = consume(bus, async (batch) => {
      ids.push(...batch.map(({ id }) => id));
      return await ack(batch);
    });
    const listening = listen(bus);
    await server.attach();
    await using _consumer = await consuming;
    await using hub = await listening;
    const events = [orderPlaced("ORD-1"), statusChanged("ORD-1", 1)];
    await eventually(
      () => bus.publish(events),
      ({ unknown }) => unknown.length === 0,
    );
    await eventually(
      () => [ids[0], hub.heard[0]],
      ([id, sequence]) => id === events[0]?.id && sequence === 1,
    );
  });

  it("reads a fan-out in the order of publishing, by number and not as text", async () => {
    await using stage = await prepare();
    const { typeName } = OrderStatusChangedSchema;
    await using _ = await listen(stage.bus);
    for (let sequence = 1; sequence <= 12; sequence++) {
      await stage.bus.publish([statusChanged("ORD-1", sequence)]);
    }
    const rows = await readFanout(stage.database, typeName, "0");
    expect(rows.map(({ position }) => Number(position))).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  it("skips no event of a fan-out, however many publish at once", async () => {
    await using stage = await prepare();
    await using other = await stage.open();
    await using near = await listen(stage.bus);
    await using far = await listen(other);
    // The first to be written is the last to be committed.
    const late = withTransaction(stage.database, "test", async (tx) => {
      await storeMessages(tx, [statusChanged("ORD-1", 201)]);
      await sleep(300);
    });
    const publishes = Array.from({ length: 200 }, (_, index) =>
      (index % 2 === 0 ? stage.bus : other).publish([statusChanged("ORD-1", index + 1)]),
    );
    await Promise.all([late, ...publishes]);
    for (const { heard } of [near, far]) {
      await eventually(
        () => heard.length,
        (count) => count >= 201,
      );
      expect(heard.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 201 }, (_, index) => index + 1),
      );
    }
    expect(near.heard).toEqual(far.heard);
  });

  it("reports a gap to a slow instance and delays no other", async () => {
    await using stage = await prepare();
    await using slow = await startVictim(stage.options, "fan-out");
    await using hub = await listen(stage.bus);
    await stage.bus.publish([statusChanged("ORD-1", 1)]);
    await slow.said("heard 1");
    slow.signal("SIGSTOP");
    await stage.bus.publish([statusChanged("ORD-1", 2)]);
    await eventually(
      () => hub.heard,
      (heard) => heard.includes(2),
    );
    // It says how far it has read; a minute later, what is old is forgotten.
    await stage.cut();
    await eventually(
      () => stage.database.query({ text: "select from fanout_subscriber where position = 2" }),
      ({ rowCount }) => rowCount === 1,
    );
    await stage.database.query({
      text: "update fanout set published_at = now() - interval '61 seconds'",
    });
    await touchSubscriber(stage.database, randomUUID(), "0");
    await stage.bus.publish([statusChanged("ORD-1", 3)]);
    await eventually(
      () => hub.heard,
      (heard) => heard.includes(3),
    );
    slow.signal("SIGCONT");
    await slow.said("heard 3");
    await slow.said("gap");
    expect(slow.lines).not.toContain("heard 2");
    expect(hub.heard).toEqual([1, 2, 3]);
    const { rows } = await stage.database.query({ text: "select count(*)::int from fanout" });
    expect(rows).toEqual([{ count: 1 }]);
  });

  it("reports a gap to a subscriber whose row is gone", async () => {
    await using stage = await prepare();
    await using hub = await listen(stage.bus);
    // As after a crash of the server: its connections are gone, and what is unlogged is empty.
    await stage.database.query({ text: "truncate fanout_subscriber, fanout, claim" });
    await stage.cut();
    await eventually(
      () => hub.heard,
      (heard) => heard.includes(-1),
    );
    const { rowCount } = await stage.database.query({ text: "select from fanout_subscriber" });
    expect(rowCount).toBe(1);
  });

  it("leaves the database alone while there is nothing to do", async () => {
    await using stage = await prepare();
    await using _ = await consume(stage.bus, ack);
    await using __ = await listen(stage.bus);
    await stage.bus.publish([orderPlaced("ORD-1"), statusChanged("ORD-1", 1)]);
    await sleep(1_000);
    const earlier = await stage.latestStatements();
    const statements = new Set<string>();
    const endMs = performance.now() + 11_000;
    while (performance.now() < endMs) {
      for (const statement of await stage.latestStatements()) statements.add(statement);
      await sleep(100);
    }
    // A look every five seconds, and one for events that are new to it.
    const later = [...statements].filter((statement) => !earlier.includes(statement));
    expect(later.length, later.join("\n")).toBeLessThanOrEqual(4);
  });

  /** A bus, and what it is made of beside it. */
  async function prepare() {
    await using starting = new AsyncDisposableStack();
    const server = starting.use(await createTestDatabase());
    const options = { databaseUrl: server.url };
    const open = () => openBus({ ...options, name: "test", log: silentLogger });
    const bus = starting.use(await open());
    const database = starting.use(
      createDatabase({ url: server.url, schema: "queue", log: silentLogger }),
    );
    const cut = async () => {
      await database.query({
        text: `select pg_terminate_backend(pid) from pg_stat_activity
               where application_name = 'test queue' and datname = current_database()`,
      });
    };
    /** The latest one of each connection of the bus that has ended: one that runs has begun anew with each of its protocol's steps. */
    const latestStatements = async () => {
      const { rows } = await database.query<{ statement: string }>({
        text: `select concat_ws(' ', pid, query_start, query) as statement from pg_stat_activity
               where application_name = 'test queue' and datname = current_database() and state = 'idle'`,
      });
      return rows.map(({ statement }) => statement);
    };
    const running = starting.move();
    return {
      ...{ options, open, bus, database, cut, latestStatements },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  }
});

function consume(bus: EventBus, handle: ConsumeOptions["handle"], maxBatch = 10) {
  return bus.consume("orders", { name: "test", log: silentLogger, maxBatch, handle });
}

/** Writes down the sequences that it heard, and -1 for a gap. */
async function listen(bus: EventBus) {
  const heard: number[] = [];
  const subscriber = await bus.subscribe(OrderStatusChangedSchema, {
    name: "hub",
    log: silentLogger,
    onEvents: (events) => heard.push(...events.map(({ sequence }) => sequence)),
    onGap: () => heard.push(-1),
  });
  return { heard, [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose]() };
}
