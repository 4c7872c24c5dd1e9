import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OrderStatusesChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate, withTransaction } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/testkit";
import type { EventBus, OutgoingEvent, PublishReport } from "../src/index.ts";
import {
  insertOutbox,
  openBus,
  outboxMigrations,
  outboxWritten,
  startRelay,
} from "../src/index.ts";
import { RelayRun } from "../src/relay-run.ts";
import { orderPlaced, statusesChanged } from "./events.ts";
import { eventually } from "./eventually.ts";

let server: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;

beforeAll(async () => {
  server = await createTestDatabase();
  database = createDatabase({ url: server.url, schema: "shop", log: silentLogger });
  await migrate(database, outboxMigrations);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => truncate());

describe("a relay", () => {
  it("publishes what a transaction wrote, and nothing of one that was rolled back", async () => {
    await using bus = await openBus({ databaseUrl: server.url, name: "test", log: silentLogger });
    const events = ["a", "b", "c"].map((name) => orderPlaced(`ORD-${name}`));
    await using relay = startRelay({ database, bus, log: silentLogger });
    await withTransaction(database, "test", (tx) => insertOutbox(tx, events));
    const lost = withTransaction(database, "test", async (tx) => {
      await insertOutbox(tx, [orderPlaced("ORD-never")]);
      throw new Error("changed my mind");
    });
    await expect(lost).rejects.toThrow("changed my mind");
    outboxWritten(database);
    await eventually(
      () => relay.pending(),
      (pending) => pending === 0,
    );
    expect(await bus.depths()).toMatchObject({ orders: 3 });
  });

  it.each(["in this process", "in another process"])(
    "looks at once at what is written %s",
    async (where) => {
      const bus = createModelBus();
      // It does not look by itself as long as the test takes.
      await using _ = startRelay({ database, bus, log: silentLogger, pollMs: 600_000 });
      // Another process has another database object; here one by another URL stands for it.
      const url = where === "in this process" ? server.url : `${server.url}&application_name=other`;
      await using writer = createDatabase({ url, schema: "shop", log: silentLogger });
      await eventually(
        () =>
          database.query({ text: "select from pg_locks where locktype = 'advisory' and granted" }),
        ({ rowCount }) => rowCount > 0,
      );
      const events = ["a", "b"].map((name) => orderPlaced(`ORD-${name}`));
      // The second one comes while the first notification is fresh.
      for (const event of events) {
        await insertOutbox(writer, [event]);
        outboxWritten(writer);
      }
      await eventually(
        async () => bus.arrived,
        (arrived) => arrived.length === events.length,
      );
    },
  );

  it("parks a row that always fails, and holds back only its own key", async () => {
    const poison = orderPlaced("ORD-bad");
    const bus = createModelBus();
    bus.rejectedIds.add(poison.id);
    const others = Array.from({ length: 20 }, (_, index) => orderPlaced(`ORD-${index}`));
    const after = orderPlaced("ORD-bad");
    await insertOutbox(database, [...others.slice(0, 10), poison, after, ...others.slice(10)]);
    await using relay = startRelay({ database, bus, log: silentLogger, maxAttempts: 2 });

    const parked = "select message_id, last_error from outbox where not_before = 'infinity'";
    const { rows } = await eventually(
      () => database.query({ text: parked }),
      ({ rowCount }) => rowCount > 0,
    );

    expect(rows).toEqual([{ message_id: poison.id, last_error: "not confirmed in time" }]);
    expect(new Set(bus.arrived)).toEqual(new Set(others.map(({ id }) => id)));
    expect(await relay.pending()).toBe(2);
  });

  it("counts nothing against a row while the queue is down", async () => {
    const bus = createModelBus();
    bus.down = true;
    await insertOutbox(database, [orderPlaced("ORD-1")]);
    await using relay = new RelayRun({ database, bus, log: silentLogger });
    for (let round = 0; round < 3; round++) await relay.run(new AbortController().signal);
    const { rows } = await database.query({ text: "select attempts from outbox" });
    expect(rows).toEqual([{ attempts: 0 }]);
    bus.down = false;
    await relay.run(new AbortController().signal);
    expect(bus.arrived).toHaveLength(1);
  });

  it("takes over from one that hangs", async () => {
    const bus = createModelBus();
    const options = { database, bus, log: silentLogger };
    const { signal } = new AbortController();
    await using hanging = new RelayRun({ ...options, leaseMs: 1_000 });
    await hanging.run(signal);
    await insertOutbox(database, [orderPlaced("ORD-1")]);
    // It keeps the turn, however slow the machine is.
    await using standby = new RelayRun({ ...options, leaseMs: 60_000 });
    await standby.run(signal);
    expect(bus.arrived).toEqual([]);
    await eventually(
      async () => {
        await standby.run(signal);
        return bus.arrived;
      },
      (arrived) => arrived.length === 1,
    );
    // What it had begun fails, and it waits for its turn again.
    await insertOutbox(database, [orderPlaced("ORD-2")]);
    await hanging.run(signal).catch(() => {});
    await hanging.run(signal);
    expect(bus.arrived).toHaveLength(1);
  });

  it("sends what may be merged as one message", async () => {
    const bus = createModelBus();
    const statuses = [1, 2, 3].map((sequence) => statusesChanged("ORD-1", sequence));
    await insertOutbox(database, [...statuses, orderPlaced("ORD-1")]);
    await using relay = new RelayRun({ database, bus, log: silentLogger });
    await relay.run(new AbortController().signal);
    expect(bus.published.map((events) => events.length)).toEqual([2]);
    const [merged] = bus.published[0] ?? [];
    const { changes } = fromBinary(OrderStatusesChangedSchema, merged?.body ?? new Uint8Array());
    expect(changes.map((change) => change.sequence)).toEqual([1, 2, 3]);
    expect((await database.query({ text: "select from outbox" })).rowCount).toBe(0);
  });

  it("loses nothing and keeps the order of a key, however many relays work and die", async () => {
    const key = fc.integer({ min: 0, max: 3 });
    const fault = fc.oneof(
      fc.constant({ kind: "none" as const }),
      fc.record({ kind: fc.constant("cut" as const), after: fc.nat(8) }),
      fc.record({ kind: fc.constant("die" as const), after: fc.nat(8) }),
      fc.constant({ kind: "deaf" as const }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { minLength: 1, maxLength: 30 }),
        fc.array(fault, { maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 10 }),
        async (keys, faults, relays, batchSize) => {
          await truncate();
          const events = keys.map((name, index) => orderPlaced(`ORD-${name}`, `${index}`));
          await insertOutbox(database, events);
          const bus = createModelBus(faults);
          await drain(bus, relays, batchSize);
          expectFaithful(events, bus.arrived);
        },
      ),
      { numRuns: 25 },
    );
  });
});

async function truncate(): Promise<void> {
  await database.query({ text: "truncate outbox" });
}

/** Several relays at once, each begun anew when it dies, until the outbox is empty. */
async function drain(bus: EventBus, relays: number, batchSize: number): Promise<void> {
  const work = async () => {
    const options = { database, bus, log: silentLogger, leaseMs: 100, batchSize };
    const { signal } = new AbortController();
    while ((await database.query({ text: "select from outbox limit 1" })).rowCount > 0) {
      await using relay = new RelayRun(options);
      await relay.run(signal).catch(() => {});
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: relays }, work));
}

function expectFaithful(events: readonly OutgoingEvent[], arrived: readonly string[]): void {
  const first = [...new Set(arrived)];
  expect(first.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
  for (const key of new Set(events.map((event) => event.orderingKey))) {
    const own = events.filter((event) => event.orderingKey === key).map(({ id }) => id);
    expect(first.filter((id) => own.includes(id))).toEqual(own);
  }
}

/**
 * What happens to one publish: `cut` takes a few and loses the connection, `die` takes a few and
 * then the relay itself is gone, `deaf` takes all and no confirm comes back.
 */
type Fault = { kind: "none" | "deaf" } | { kind: "cut" | "die"; after: number };

/**
 * A queue that records what arrives and fails at chosen moments, which a real one cannot.
 */
function createModelBus(faults: readonly Fault[] = []) {
  const arrived: string[] = [];
  const pending = [...faults];
  const model = {
    arrived,
    /** Every publish. */
    published: [] as (readonly OutgoingEvent[])[],
    /** Ids that are never confirmed. */
    rejectedIds: new Set<string>(),
    down: false,
    async publish(events: readonly OutgoingEvent[]): Promise<PublishReport> {
      model.published.push(events);
      const ids = events.map(({ id }) => id);
      const fault = pending.shift() ?? { kind: "none" };
      // As a broker does: it closes the channel, and with it goes what comes after.
      const bad = ids.findIndex((id) => model.rejectedIds.has(id));
      const taken = model.down ? 0 : "after" in fault ? fault.after : bad < 0 ? ids.length : bad;
      arrived.push(...ids.slice(0, taken));
      await sleep(1);
      if (fault.kind === "die") throw new Error("killed");
      const confirmed = fault.kind === "deaf" || bad >= 0 ? [] : ids.slice(0, taken);
      return { confirmed, unknown: ids.filter((id) => !confirmed.includes(id)), unroutable: [] };
    },
    async check() {
      if (model.down) throw new Error("down");
    },
  };
  return model as typeof model & EventBus;
}
