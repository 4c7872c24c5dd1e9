import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { queueTypeOf } from "@smartcart/contract";
import { OrderStatusChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import type { OutgoingEvent } from "../src/index.ts";
import { openBus } from "../src/index.ts";
import { claimJobs, giveBack, LostClaimError, settleJobs } from "../src/postgres/jobs.ts";
import { startQueueEngine } from "../src/postgres/queue-engine.ts";
import { readFanout } from "../src/postgres/queue-store.ts";
import { describeContract } from "./contract-suite.ts";
import { orderPlaced, statusChanged } from "./events.ts";
import { eventually } from "./eventually.ts";

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
      const base64 = Buffer.from(body).toString("base64");
      const message = { id, type, routingKey: "", traceparent: "", attempt, body: base64 };
      // What a client in another language can do with SQL alone.
      await database.query({
        text: `insert into job (name, data, keep_until, retry_limit, retry_delay, retry_backoff,
                                expire_seconds, deletion_seconds, policy, dead_letter)
               select name, $2, now() + interval '1 day', retry_limit, 0, false,
                      3600, 60, policy, dead_letter
               from queue where name = $1`,
        values: [queue, JSON.stringify({ messages: [message] })],
      });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
});

describe("the PostgreSQL queue", () => {
  it("reads a fan-out in the order of publishing, by number and not as text", async () => {
    await using stage = await prepare();
    const { typeName } = OrderStatusChangedSchema;
    await using _ = await stage.bus.subscribe(OrderStatusChangedSchema, {
      name: "test",
      log: silentLogger,
      onEvents() {},
      onGap() {},
    });
    for (let sequence = 1; sequence <= 12; sequence++) {
      await stage.bus.publish([statusChanged("ORD-1", sequence)]);
    }
    const rows = await readFanout(stage.database, typeName, "0");
    expect(rows.map(({ position }) => Number(position))).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
  });

  it("cuts a publish into parts that fit a consumer, and shares them", async () => {
    await using stage = await prepare();
    const batches: number[] = [];
    const events = Array.from({ length: 95 }, (_, index) => orderPlaced(`ORD-${index}`));
    await stage.bus.publish(events);
    const ids: string[] = [];
    await using _ = await stage.bus.consume("orders", {
      name: "test",
      log: silentLogger,
      maxBatch: 10,
      async handle(batch) {
        batches.push(batch.length);
        ids.push(...batch.map(({ id }) => id));
        return batch.map(() => ({ kind: "ack" }));
      },
    });
    await eventually(
      () => ids.length,
      (count) => count >= 95,
    );
    expect(ids).toEqual(events.map(({ id }) => id));
    expect(Math.max(...batches)).toBe(10);
  });

  it("gives up a message that costs every consumer its life, and only that", async () => {
    await using stage = await prepare();
    const events = Array.from({ length: 10 }, (_, index) => orderPlaced(`ORD-${index}`));
    await stage.bus.publish(events);
    const poison = events[4]?.id;
    const acknowledged: string[] = [];
    for (let life = 0; life < 100; life++) {
      const claim = { consumer: randomUUID(), instance: 1, limit: 1, maxMessages: 10 };
      const { jobs, split } = await claimJobs(stage.store, claim);
      if (jobs.length === 0 && split) continue;
      if (jobs.length === 0) break;
      const ids = jobs.flatMap((job) => job.messages.map(({ id }) => id));
      if (poison !== undefined && ids.includes(poison)) {
        await giveBack(stage.database, stage.boss, { ...claim, queue: "orders", jobs });
        continue;
      }
      await settleJobs(
        stage.store,
        jobs,
        ids.map(() => ({ kind: "remove" })),
      );
      acknowledged.push(...ids);
    }
    const others = events.map(({ id }) => id).filter((id) => id !== poison);
    expect(acknowledged).toEqual(others);
    expect(await stage.bus.deadLetters("orders").list()).toMatchObject([
      { id: poison, reason: "given up: too many deliveries ended without an answer" },
    ]);
  });

  it("leaves a job alone that was taken over meanwhile", async () => {
    await using stage = await prepare();
    await stage.bus.publish([orderPlaced("ORD-1")]);
    const claim = { consumer: randomUUID(), instance: 1, limit: 1, maxMessages: 1 };
    const { jobs } = await claimJobs(stage.store, claim);
    await giveBack(stage.database, stage.boss, { ...claim, queue: "orders", jobs });
    const { jobs: again } = await claimJobs(stage.store, { ...claim, consumer: randomUUID() });
    const late = settleJobs(stage.store, jobs, [{ kind: "dead-letter", reason: "late" }]);
    await expect(late).rejects.toThrow(LostClaimError);
    await settleJobs(stage.store, again, [{ kind: "remove" }]);
    expect(await stage.bus.deadLetters("orders").count()).toBe(0);
  });

  it("goes on after all its connections were cut, and misses no fan-out event", async () => {
    await using stage = await prepare();
    const ids = new Set<string>();
    await using consumer = await stage.bus.consume("orders", {
      name: "test",
      log: silentLogger,
      async handle(batch) {
        for (const { id } of batch) ids.add(id);
        return batch.map(() => ({ kind: "ack" }));
      },
    });
    const sequences: number[] = [];
    await using _ = await stage.bus.subscribe(OrderStatusChangedSchema, {
      name: "hub",
      log: silentLogger,
      onEvents: (events) => sequences.push(...events.map(({ sequence }) => sequence)),
      onGap: () => sequences.push(-1),
    });
    const all: OutgoingEvent[] = [];
    for (let round = 1; round <= 5; round++) {
      await stage.database.query({
        text: "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test queue'",
      });
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
      () => sequences.length,
      (count) => count >= 5,
    );
    expect(sequences).toEqual([1, 2, 3, 4, 5]);
    await eventually(
      () => consumer.ready(),
      (ready) => ready,
    );
  });

  it("tells a subscriber that was silent for too long of the gap", async () => {
    await using stage = await prepare();
    let gaps = 0;
    await using _ = await stage.bus.subscribe(OrderStatusChangedSchema, {
      name: "hub",
      log: silentLogger,
      onEvents: () => {},
      onGap: () => gaps++,
    });
    await stage.database.query({ text: "delete from fanout_subscriber" });
    await eventually(
      () => gaps,
      (count) => count === 1,
    );
    const { rowCount } = await stage.database.query({ text: "select from fanout_subscriber" });
    expect(rowCount).toBe(1);
  });

  /** A bus, and what it is made of beside it. */
  async function prepare() {
    const server = await createTestDatabase();
    const bus = await openBus({ databaseUrl: server.url, name: "test", log: silentLogger });
    const database = createDatabase({ url: server.url, schema: "queue", log: silentLogger });
    const boss = await startQueueEngine(database, silentLogger);
    return {
      bus,
      database,
      boss,
      store: { database, boss, queue: queueTypeOf("orders") },
      async [Symbol.asyncDispose]() {
        await bus[Symbol.asyncDispose]();
        await boss.stop({ graceful: false });
        await database[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  }
});
