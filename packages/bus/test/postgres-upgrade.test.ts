/** Databases whose queue is still in the tables of pg-boss, from before `0002_messages.sql`: nothing that waits there is lost. */
import { describe, expect, it } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import type { Delivery, OutgoingEvent } from "../src/index.ts";
import { openBus } from "../src/index.ts";
import { orderPlaced } from "./events.ts";
import { eventually } from "./eventually.ts";

describe("the queue that pg-boss kept", () => {
  it("is moved: what waits, what was in hand, what is delayed, and dead letters to the byte", async () => {
    await using stage = await prepare();
    const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((name) => orderPlaced(`ORD-${name}`));
    if (!a || !b || !c || !d || !e) throw new Error("five events");
    const body = Buffer.from([0xff, 0x00, 0xfe]);
    const dead = {
      ...stored({ ...e, body }, 3),
      reason: "no van",
      failedAt: "2026-01-02T03:04:05Z",
    };
    await stage.put("orders", { messages: [stored(a), stored(b)] });
    await stage.put("orders", { messages: [stored(c, 2)] }, { state: "active" });
    await stage.put("orders", { messages: [stored(d, 4)] }, { startsInSeconds: 3_600 });
    await stage.put("orders.dlq", {
      messages: [{ ...dead, contentType: "text/x", shop: "Utrecht" }],
    });
    await stage.put(
      "orders",
      { messages: [stored(orderPlaced("ORD-done"))] },
      { state: "completed" },
    );

    await using bus = await openBus({ ...stage.options, name: "test", log: silentLogger });
    expect(await bus.depths()).toMatchObject({ orders: 3, "orders.retry": 1, "orders.dlq": 1 });
    const seen: Delivery[] = [];
    await using _ = await bus.consume("orders", {
      name: "test",
      log: silentLogger,
      async handle(batch) {
        seen.push(...batch);
        return batch.map(() => ({ kind: "ack" }));
      },
    });
    await eventually(
      () => seen.length,
      (count) => count === 3,
    );
    expect(seen.map(({ id, attempt }) => [id, attempt])).toEqual([
      [a.id, 1],
      [b.id, 1],
      [c.id, 2],
    ]);
    const [deadLetter] = await bus.deadLetters("orders").list();
    expect(deadLetter).toMatchObject({
      ...{ id: e.id, type: e.type, attempt: 3, reason: "no van" },
      failedAt: new Date("2026-01-02T03:04:05Z"),
      properties: { contentType: "text/x" },
      headers: { shop: "Utrecht" },
    });
    expect(Buffer.from(deadLetter?.body ?? [])).toEqual(body);
    const { rows } = await stage.database.query({
      text: "select attempt, extract(epoch from due_at - now())::int > 3000 as later from message where queue = 'orders.retry'",
    });
    expect(rows).toEqual([{ attempt: 4, later: true }]);
    const { rows: left } = await stage.database.query({ text: "select to_regclass('job') as job" });
    expect(left).toEqual([{ job: null }]);
  });

  it("is moved whatever another client put into it, to be a dead letter", async () => {
    await using stage = await prepare();
    const odd: unknown[] = [
      null,
      [],
      "text",
      { messages: [] },
      { messages: [1, { id: 7 }] },
      { messages: [{ ...stored(orderPlaced("ORD-1")), body: "%%% no base64" }] },
      { messages: [{ ...stored(orderPlaced("ORD-1")), attempt: 1e300, contentType: { a: 1 } }] },
    ];
    for (const data of odd) await stage.put("orders", data);
    await using bus = await openBus({ ...stage.options, name: "test", log: silentLogger });
    await using _ = await bus.consume("orders", {
      name: "test",
      log: silentLogger,
      handle: async (batch) => batch.map(() => ({ kind: "ack" })),
    });
    const deadLetters = await eventually(
      () => bus.deadLetters("orders").list(),
      (all) => all.length === 8,
    );
    expect(deadLetters.every(({ reason }) => reason.startsWith("cannot be decoded"))).toBe(true);
    expect(deadLetters.slice(0, 3).map(({ body }) => Buffer.from(body).toString())).toEqual([
      "null",
      "[]",
      '"text"',
    ]);
  });
});

/** An empty database with the table in which pg-boss 12 kept its jobs, in the columns that are read. */
async function prepare() {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await createTestDatabase());
  const database: Database = starting.use(
    createDatabase({ url: server.url, schema: "queue", log: silentLogger }),
  );
  await database.query({
    text: `create schema queue;
           create type queue.job_state as enum ('created', 'retry', 'active', 'completed', 'cancelled', 'failed');
           create table queue.job (
             id uuid not null default gen_random_uuid(), name text not null, data jsonb,
             state queue.job_state not null default 'created', start_after timestamptz not null default now(),
             created_on timestamptz not null default clock_timestamp(), primary key (name, id)
           ) partition by list (name);
           create table queue.job_common partition of queue.job default`,
  });
  const running = starting.move();
  return {
    database,
    options: { databaseUrl: server.url },
    async put(queue: string, data: unknown, o: { state?: string; startsInSeconds?: number } = {}) {
      await database.query({
        text: `insert into job (name, data, state, start_after)
               values ($1, $2, $3::text::job_state, now() + $4 * interval '1 second')`,
        values: [queue, JSON.stringify(data), o.state ?? "created", o.startsInSeconds ?? 0],
      });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** As the version before stored a message. */
function stored({ id, type, routingKey, traceparent, body }: OutgoingEvent, attempt = 1) {
  const base64 = Buffer.from(body).toString("base64");
  return { id, type, routingKey, traceparent, attempt, body: base64 };
}
