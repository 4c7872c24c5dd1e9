import { isMessage } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import {
  OrderPlacedSchema,
  OrderStatusChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import type { ConsumeOptions, Delivery, EventBus, Outcome, RunningConsumer } from "../src/index.ts";
import { openBus } from "../src/index.ts";
import { logsEmitted, orderPlaced, statusChanged } from "./events.ts";
import { eventually } from "./eventually.ts";
import { startVictim } from "./victim.ts";

/** A fresh, empty engine for one test, and how a client that is not ours reaches it. */
export interface Stage extends AsyncDisposable {
  readonly options: { readonly amqpUrl?: string; readonly databaseUrl: string };
  /** Puts a message into a work queue as a foreign client would, past all our code. */
  put(queue: string, message: ForeignMessage): Promise<void>;
}

/** What a foreign client sets; what is missing is not set. */
export interface ForeignMessage {
  readonly body: Uint8Array;
  readonly id?: string;
  readonly type?: string;
  readonly attempt?: number;
}

const ack: Outcome = { kind: "ack" };
const year10000 = { placedAt: { seconds: 253_402_300_800n, nanos: 0 } };

/** The contract of every engine; `prepare` creates an empty queue to run it on. */
export function describeContract(
  engine: string,
  prepare: () => Promise<Stage>,
  skip = false,
): void {
  describe.skipIf(skip)(`EventBus on ${engine}`, () => {
    it("confirms what is stored, and one consumer gets each message", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const events = Array.from({ length: 250 }, (_, index) => orderPlaced(`ORD-${index}`));

      const report = await bus.publish(events);

      expect(report).toEqual({
        confirmed: events.map(({ id }) => id),
        unknown: [],
        unroutable: [],
      });
      expect(await bus.depths()).toMatchObject({ orders: 250 });
      const oldest = await bus.oldestMs();
      if (engine === "PostgreSQL") expect(oldest).toEqual({ orders: expect.any(Number) });
      else expect(oldest).toBeUndefined();
      await using inbox = await collect(bus, { maxBatch: 100 });
      await eventually(
        () => inbox.ids.length,
        (count) => count >= 250,
      );
      expect(inbox.ids).toEqual(events.map(({ id }) => id));
      await eventually(
        () => bus.depths(),
        (depths) => depths.orders === 0,
      );
    });

    it("keeps messages for a consumer that comes later, with type, attempt and trace", async () => {
      await using stage = await prepare();
      const event = {
        ...orderPlaced("ORD-1"),
        traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      };
      {
        await using bus = await open(stage);
        await bus.publish([event]);
      }
      await using bus = await open(stage);
      await using inbox = await collect(bus);
      await eventually(
        () => inbox.deliveries.length,
        (count) => count === 1,
      );
      const { id, type, traceparent } = event;
      expect(inbox.deliveries[0]).toMatchObject({ id, type, traceparent, attempt: 1 });
    });

    it("shares a queue between competing consumers", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      await using other = await open(stage);
      // Each holds its first message until both have one, so that neither can take all.
      const both = Promise.withResolvers<void>();
      const holders = new Set<string>();
      const share = (name: string) => async (batch: readonly Delivery[]) => {
        holders.add(name);
        if (holders.size === 2) both.resolve();
        await both.promise;
        return batch.map(() => ack);
      };
      await using first = await collect(bus, { handle: share("first") });
      await using second = await collect(other, { handle: share("second") });

      for (let index = 0; index < 40; index++) await bus.publish([orderPlaced(`ORD-${index}`)]);

      await eventually(
        () => first.ids.length + second.ids.length,
        (count) => count >= 40,
      );
      expect(first.ids.length).toBeGreaterThan(0);
      expect(second.ids.length).toBeGreaterThan(0);
      expect(new Set([...first.ids, ...second.ids]).size).toBe(40);
    });

    it("gives every fan-out event to every subscriber, in order, and to none a queue's messages", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      await using other = await open(stage);
      await using one = await listen(bus);
      await using two = await listen(other);

      for (let sequence = 1; sequence <= 30; sequence += 3) {
        await bus.publish([0, 1, 2].map((step) => statusChanged("ORD-1", sequence + step)));
        await bus.publish([orderPlaced("ORD-2")]);
      }

      const all = Array.from({ length: 30 }, (_, index) => index + 1);
      for (const listener of [one, two]) {
        await eventually(
          () => listener.sequences().length,
          (count) => count >= 30,
        );
        expect(listener.sequences()).toEqual(all);
        expect(listener.gaps()).toBe(0);
      }
    });

    it("accepts a fan-out event without subscribers", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const event = statusChanged("ORD-1", 1);
      expect((await bus.publish([event])).confirmed).toEqual([event.id]);
    });

    it("hands the messages of a killed consumer to another one, as the same attempt", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const event = orderPlaced("ORD-1");
      {
        await using victim = await startVictim(stage.options);
        await bus.publish([event]);
        await victim.said("holding ORD-1");
      }
      await using inbox = await collect(bus);
      await eventually(
        () => inbox.deliveries.length,
        (count) => count === 1,
        10_000,
      );
      expect(inbox.deliveries[0]).toMatchObject({ id: event.id, attempt: 1 });
    });

    it("retries after the pause of the ladder, with a higher attempt", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const attempts: { attempt: number; atMs: number }[] = [];
      await using _ = await consume(bus, "orders", async ([delivery]) => {
        attempts.push({ attempt: delivery?.attempt ?? 0, atMs: performance.now() });
        return [delivery?.attempt === 1 ? { kind: "retry", reason: "carrier is closed" } : ack];
      });
      await bus.publish([orderPlaced("ORD-1")]);
      await eventually(
        () => attempts.length,
        (count) => count === 2,
      );
      const [first, second] = attempts;
      expect(second?.attempt).toBe(2);
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(900);
    });

    it("retries a batch whose handler throws, and one whose handler does not return", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const attempts: number[] = [];
      const aborted = Promise.withResolvers<void>();
      const options = { handlerTimeoutMs: 200 };
      await using _ = await consume(
        bus,
        "logs",
        async ([delivery], { signal }) => {
          attempts.push(delivery?.attempt ?? 0);
          if (delivery?.attempt === 1) throw new Error("no disk");
          if (delivery?.attempt !== 2) return [ack];
          signal.addEventListener("abort", () => aborted.resolve());
          return await new Promise(() => {});
        },
        options,
      );
      await bus.publish([logsEmitted("hello")]);
      await eventually(
        () => attempts,
        (seen) => seen.length === 3,
      );
      expect(attempts).toEqual([1, 2, 3]);
      await aborted.promise;
    });

    it.each([
      ["throws", async () => Promise.reject(new Error("no such street"))],
      ["does not return", () => new Promise<never>(() => {})],
    ] as const)("handles the other messages of a batch in which one %s", async (_, fail) => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const events = Array.from({ length: 40 }, (_, index) => orderPlaced(`ORD-${index}`));
      const poison = new Set([events[3]?.id, events[22]?.id]);
      const done: Delivery[] = [];
      const failed: string[] = [];
      await bus.publish(events);
      await using consumer = await bus.consume("orders", {
        name: "test",
        log: silentLogger,
        maxBatch: 64,
        handlerTimeoutMs: 300,
        async handle(batch) {
          if (batch.some(({ id, attempt }) => poison.has(id) && attempt === 1)) return await fail();
          done.push(...batch);
          return batch.map(() => ack);
        },
        onHandled: (result, delivery) => result === "ack" || failed.push(delivery?.id ?? ""),
      });
      await eventually(
        () => done.length,
        (count) => count >= 40,
        15_000,
      );
      expect(failed.toSorted()).toEqual([...poison].toSorted());
      const later = done.filter(({ attempt }) => attempt > 1).map(({ id }) => id);
      expect(later.toSorted()).toEqual([...poison].toSorted());
      expect(done).toHaveLength(40);
      expect(await bus.deadLetters("orders").count()).toBe(0);
      await consumer[Symbol.asyncDispose]();
    });

    it("drops and counts a fan-out event that breaks the contract, and goes on", async () => {
      await using stage = await prepare();
      const metrics = createMetrics("test");
      await using bus = await open(stage, metrics);
      await using listener = await listen(bus);
      const bad = [
        { occurredAt: { seconds: 253_402_300_800n, nanos: 0 } },
        { occurredAt: { seconds: 1n, nanos: -1 } },
        { sequence: 0 },
        { milestone: 99 as OrderMilestone },
      ].map((change, index) => statusChanged(`ORD-bad-${index}`, 7, change));
      const garbage = { ...statusChanged("ORD-bad", 8), body: Buffer.from([0xff, 0xff]) };
      await bus.publish([...bad, garbage, statusChanged("ORD-1", 1)]);
      await eventually(
        () => listener.sequences(),
        (sequences) => sequences.includes(1),
      );
      expect(listener.sequences()).toEqual([1]);
      expect(await metrics.metrics()).toContain(
        'smartcart_bus_handled_total{queue="fan-out",result="drop",service="test"} 5',
      );
    });

    it("survives a subscriber that throws, which is a gap", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const heard: number[] = [];
      let gaps = 0;
      await using _ = await bus.subscribe(OrderStatusChangedSchema, {
        name: "hub",
        log: silentLogger,
        onEvents(events) {
          heard.push(...events.map(({ sequence }) => sequence));
          if (heard.includes(1) && !heard.includes(2)) throw new Error("no such client");
        },
        onGap: () => gaps++,
      });
      await bus.publish([statusChanged("ORD-1", 1)]);
      await eventually(
        () => gaps,
        (count) => count === 1,
      );
      await bus.publish([statusChanged("ORD-1", 2)]);
      await eventually(
        () => heard,
        (all) => all.includes(2),
      );
      expect(heard).toEqual([1, 2]);
    });

    it("drops and counts what fails for good in a queue without dead letters", async () => {
      await using stage = await prepare();
      const metrics = createMetrics("test");
      await using bus = await open(stage, metrics);
      const attempts: number[] = [];
      await using _ = await consume(bus, "logs", async ([delivery]) => {
        attempts.push(delivery?.attempt ?? 0);
        return [{ kind: "retry", reason: "no disk" }];
      });
      await bus.publish([logsEmitted("hello")]);
      const counted = 'smartcart_bus_handled_total{queue="logs",result="drop",service="test"} 1';
      await eventually(
        () => metrics.metrics(),
        (text) => text.includes(counted),
      );
      expect(attempts).toEqual([1, 2, 3]);
      await eventually(
        () => bus.depths(),
        (depths) => Object.values(depths).every((depth) => depth === 0),
      );
      expect(await bus.deadLetters("logs").count()).toBe(0);
    });

    it("gives up after the last attempt of the contract", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const last = orderPlaced("ORD-1");
      await using _ = await consume(bus, "orders", async () => [
        { kind: "retry", reason: "no van" },
      ]);
      await stage.put("orders", { body: last.body, id: last.id, type: last.type, attempt: 6 });
      const [deadLetter] = await eventually(
        () => bus.deadLetters("orders").list(),
        (all) => all.length === 1,
      );
      expect(deadLetter).toMatchObject({
        id: last.id,
        type: last.type,
        attempt: 6,
        reason: "no van",
      });
    });

    it("keeps dead letters for a person to look at, redrive or drop", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const events = ["a", "b", "c", "d", "e"].map((name) => orderPlaced(`ORD-${name}`));
      const dead = bus.deadLetters("orders");
      const ids = events.map(({ id }) => id);
      let broken = true;
      const redriven: Delivery[] = [];
      await using _ = await consume(bus, "orders", async (batch) => {
        if (broken) return batch.map(() => ({ kind: "dead-letter", reason: "no such address" }));
        redriven.push(...batch);
        return batch.map(() => ack);
      });
      await bus.publish(events);
      await eventually(
        () => dead.count(),
        (count) => count === 5,
      );

      expect((await dead.list()).map(({ id }) => id)).toEqual(ids);
      expect((await dead.list({ limit: 2 })).map(({ id }) => id)).toEqual(ids.slice(0, 2));
      const [deadLetter] = await dead.list({ limit: 1 });
      expect(deadLetter).toMatchObject({
        reason: "no such address",
        attempt: 1,
        type: events[0]?.type,
      });
      expect(deadLetter?.failedAt).toBeInstanceOf(Date);
      expect(Buffer.from(deadLetter?.body ?? [])).toEqual(Buffer.from(events[0]?.body ?? []));

      broken = false;
      expect(await dead.drop([ids[4] ?? ""])).toBe(1);
      expect(await dead.redrive([ids[2] ?? "", "no such id"])).toBe(1);
      await eventually(
        () => redriven.length,
        (count) => count === 1,
      );
      expect(redriven[0]).toMatchObject({ id: ids[2], attempt: 1 });
      expect(await dead.redrive("all", { limit: 2, maxPerSecond: 100 })).toBe(2);
      expect((await dead.list()).map(({ id }) => id)).toEqual([ids[3]]);
      expect(await dead.drop("all")).toBe(1);
      expect(await dead.count()).toBe(0);
    });

    it("keeps the order of a key, also where the consumer was killed and started again", async () => {
      await using stage = await prepare();
      await using publisher = await open(stage);
      const events = Array.from({ length: 300 }, (_, index) =>
        orderPlaced(`ORD-${index % 7}`, `${index}`),
      );
      {
        await using victim = await startVictim(stage.options);
        for (let from = 0; from < 150; from += 50)
          await publisher.publish(events.slice(from, from + 50));
        await victim.said("holding ORD-0");
      }
      await using bus = await open(stage);
      await using inbox = await collect(bus, { maxBatch: 20 });
      for (let from = 150; from < 300; from += 50)
        await publisher.publish(events.slice(from, from + 50));
      await eventually(
        () => new Set(inbox.ids).size,
        (count) => count === 300,
      );
      for (let key = 0; key < 7; key++) {
        const own = [...new Set(inbox.ids)].map(Number).filter((index) => index % 7 === key);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
      }
    });

    it.each<[string, ForeignMessage]>([
      ["a body that is no protobuf", { body: Buffer.from("not protobuf at all"), id: "poison-1" }],
      ["valid protobuf without its key", { body: new Uint8Array(), id: "poison-2" }],
      [
        "a type of another queue",
        { ...foreign(orderPlaced("ORD-1")), type: "smartcart.events.v1.OrderShipped" },
      ],
      [
        "a time that nothing can hold",
        { ...foreign(orderPlaced("ORD-1", "year-10000", year10000)) },
      ],
      ["a body without any properties", { body: Buffer.from([0xff, 0xff, 0xff]) }],
    ])("puts %s among the dead letters at once and goes on", async (_, poison) => {
      await using stage = await prepare();
      await using bus = await open(stage);
      await using inbox = await collect(bus);
      await stage.put("orders", poison);
      const next = orderPlaced("ORD-2");
      await bus.publish([next]);
      const [deadLetter] = await eventually(
        () => bus.deadLetters("orders").list(),
        (all) => all.length === 1,
      );
      expect(deadLetter?.reason).toMatch(/^cannot be decoded/);
      expect(deadLetter?.id).toMatch(poison.id ?? /^sha256:/);
      await eventually(
        () => inbox.ids,
        (ids) => ids.length === 1,
      );
      expect(inbox.ids).toEqual([next.id]);
    });

    it("takes a foreign message without id and type where the queue has one type only", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      await using inbox = await collect(bus);
      const { body } = orderPlaced("ORD-7");
      await stage.put("orders", { body });
      await eventually(
        () => inbox.deliveries.length,
        (count) => count === 1,
      );
      const [delivery] = inbox.deliveries;
      expect(delivery?.id).toMatch(/^sha256:/);
      expect(
        delivery && isMessage(delivery.message, OrderPlacedSchema) && delivery.message.orderId,
      ).toBe("ORD-7");
    });

    it("finishes the batch under way when it is stopped, and leaves the rest in the queue", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      const started = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      const handled: string[] = [];
      const consumer = await consume(bus, "orders", async ([delivery]) => {
        started.resolve();
        await finish.promise;
        handled.push(delivery?.id ?? "");
        return [ack];
      });
      expect(consumer.ready()).toBe(true);
      const events = ["a", "b", "c"].map((name) => orderPlaced(`ORD-${name}`));
      await bus.publish(events);
      await started.promise;

      const stopped = consumer[Symbol.asyncDispose]();
      expect(consumer.ready()).toBe(false);
      finish.resolve();
      await stopped;

      expect(handled).toEqual([events[0]?.id]);
      await eventually(
        () => bus.depths(),
        (depths) => depths.orders === 2,
      );
      await using inbox = await collect(bus);
      await eventually(
        () => inbox.ids.length,
        (count) => count === 2,
      );
      expect(inbox.ids).toEqual([events[1]?.id, events[2]?.id]);
    });

    it("rejects a queue that is not in the contract, and names those that are", async () => {
      await using stage = await prepare();
      await using bus = await open(stage);
      await expect(consume(bus, "oders", async () => [])).rejects.toThrow(/has: .*orders/);
      await bus.check();
    });
  });
}

async function open(stage: Stage, metrics?: ReturnType<typeof createMetrics>): Promise<EventBus> {
  return await openBus({ ...stage.options, name: "test", log: silentLogger, metrics });
}

async function consume(
  bus: EventBus,
  queue: string,
  handle: ConsumeOptions["handle"],
  o: Partial<ConsumeOptions> = {},
): Promise<RunningConsumer> {
  return await bus.consume(queue, { name: "test", log: silentLogger, ...o, handle });
}

/** Consumes `orders` and writes down what it acknowledged. */
async function collect(bus: EventBus, o: Partial<ConsumeOptions> = {}) {
  const deliveries: Delivery[] = [];
  const consumer = await consume(
    bus,
    "orders",
    async (batch, context) => {
      const outcomes = o.handle ? await o.handle(batch, context) : batch.map(() => ack);
      deliveries.push(...batch);
      return outcomes;
    },
    { maxBatch: o.maxBatch ?? 1 },
  );
  return {
    deliveries,
    get ids() {
      return deliveries.map(({ id }) => id);
    },
    [Symbol.asyncDispose]: () => consumer[Symbol.asyncDispose](),
  };
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
    sequences: () => heard.map(({ sequence }) => sequence),
    gaps: () => gaps,
    [Symbol.asyncDispose]: () => subscriber[Symbol.asyncDispose](),
  };
}

function foreign({
  body,
  id,
  type,
}: {
  body: Uint8Array;
  id: string;
  type: string;
}): ForeignMessage {
  return { body, id, type };
}
