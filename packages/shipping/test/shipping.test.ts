import { isMessage } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderShippedSchema } from "@smartcart/gen/events/v1/shipment_events_pb";
import { InstanceService } from "@smartcart/gen/ops/v1/instance_service_pb";
import { ShipmentStatus } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { problemOf } from "@smartcart/mesh";
import { failsInSimulation, trackingNumberOf } from "../src/shipment.ts";
import {
  createWorld,
  engines,
  factsOf,
  losingFirst,
  newOrderId,
  placed,
  startedInFile,
  traceparent,
} from "./support.ts";

const both = ["OrderShippingStarted", "OrderShipped"];
const patience = { timeout: 15_000 };

test.each(engines)("on %s, a placed order is started, told of and shipped", async (engine) => {
  await using world = await createWorld(engine);
  await using shipping = await world.startService();
  const orderId = newOrderId();
  await world.place(orderId);
  await expect.poll(() => factsOf(world, orderId), patience).toEqual(both);

  const told = shipping.lines.filter((line) => line.event === "shipping.started");
  expect(told).toMatchObject([
    {
      orderId,
      message: `Shipping started for OrderId: ${orderId}`,
      traceId: traceparent.split("-")[1],
    },
  ]);
  expect(await startedInFile(world)).toEqual([orderId]);
  const { shipment } = await shipping.client.getShipment({ orderId });
  expect(shipment).toMatchObject({
    status: ShipmentStatus.SHIPPED,
    trackingNumber: trackingNumberOf(orderId),
  });
  const [, left] = world.shipments;
  if (!left || !isMessage(left.event, OrderShippedSchema)) throw new Error("no OrderShipped");
  // The history is whole even where this event arrives first, and all of it is in one trace.
  expect(left.event.startedAt).toEqual(shipment?.startedAt);
  expect(left.event.shippedAt).toEqual(shipment?.shippedAt);
  expect(left.event.trackingNumber).toBe(shipment?.trackingNumber);
  expect(left.messageId).toBe(`${orderId}:shipped`);
  expect(left.traceparent.split("-")[1]).toBe(traceparent.split("-")[1]);
  const ready = await fetch(`${shipping.service.url}/readyz`);
  expect(ready.status).toBe(200);
});

test.each(engines)(
  "on %s, an order that is announced many times is shipped once",
  async (engine) => {
    await using world = await createWorld(engine);
    await using _one = await world.startService();
    await using _other = await world.startService();
    const orderIds = Array.from({ length: 40 }, newOrderId);
    await Promise.all([world.place(...orderIds), world.place(...orderIds)]);
    // The same orders under other message ids: the shipments know them.
    await world.bus.publish(orderIds.map((orderId) => placed(orderId, `${orderId}:again`)));

    await expect.poll(() => world.shipments.length, patience).toBeGreaterThanOrEqual(80);
    await expect.poll(async () => (await world.bus.depths()).orders, patience).toBe(0);
    for (const orderId of orderIds) expect(factsOf(world, orderId)).toEqual(both);
    expect(await startedInFile(world)).toEqual(orderIds.toSorted());
  },
);

test.each(engines)(
  "on %s, an order whose message failed is known as failing, until its shipment begins",
  async (engine) => {
    await using world = await createWorld(engine);
    const turn = (name: string, value: bigint) =>
      createClient(InstanceService, shipping.service.transport).setInstanceFaultSwitch({
        name,
        value,
      });
    const statusOf = async (orderId: string) => {
      const answer = await shipping.client.getShipment({ orderId }).catch(() => undefined);
      return answer?.shipment?.status;
    };
    // On the ladder: the first pause is a second.
    await using shipping = await world.startService({
      SHIPPING_FAILURE_RATE: "0.5",
      SMARTCART_DEMO: "true",
      SHIPPING_DELAY_MS: "600000",
    });
    const retried = foretell(
      (id) => failsInSimulation(id, 1, 0.5) && !failsInSimulation(id, 2, 0.5),
    );
    await world.place(retried);
    await expect.poll(() => statusOf(retried), patience).toBe(ShipmentStatus.FAILING);
    await expect.poll(() => statusOf(retried), patience).toBe(ShipmentStatus.STARTED);
    // A dead letter, however old.
    await turn("refuse", 1n);
    const dead = foretell((id) => !failsInSimulation(id, 1, 0.5));
    await world.place(dead);
    await expect.poll(() => world.bus.deadLetters("orders").count(), patience).toBe(1);
    await expect.poll(() => statusOf(dead), patience).toBe(ShipmentStatus.FAILING);
    await world.sql.query({
      text: "update failing_order set failed_at = now() - interval '1 day'",
    });
    expect(await statusOf(dead)).toBe(ShipmentStatus.FAILING);
    // One that should have come back and did not is lost.
    await world.sql.query({ text: "update failing_order set is_dead = false" });
    expect(await statusOf(dead)).toBeUndefined();
    await turn("refuse", 0n);
    await world.bus.deadLetters("orders").redrive("all");
    await expect.poll(() => statusOf(dead), patience).toBe(ShipmentStatus.STARTED);
  },
);

test.each(engines)("on %s, a failing carrier is tried again, down the ladder", async (engine) => {
  await using world = await createWorld(engine);
  await using _service = await world.startService({ SHIPPING_FAILURE_RATE: "0.5" });
  const orderId = foretell(
    (attempt) => failsInSimulation(attempt, 1, 0.5) && !failsInSimulation(attempt, 2, 0.5),
  );
  const sound = foretell((id) => !failsInSimulation(id, 1, 0.5));
  await world.place(orderId, sound);
  await expect.poll(() => factsOf(world, sound), patience).toEqual(both);
  expect(factsOf(world, orderId)).toEqual([]);
  await expect.poll(() => factsOf(world, orderId), patience).toEqual(both);
});

test.each(engines)(
  "on %s, an order id that cannot be stored is a dead letter, and its neighbours ship",
  async (engine) => {
    await using world = await createWorld(engine);
    const orderIds = Array.from({ length: 5 }, newOrderId);
    // Published before a consumer runs, so that they are in one batch.
    // The queue in PostgreSQL cannot even carry a NUL; a foreign publisher on RabbitMQ can.
    const bad = engine === "rabbitmq" ? "a\0b" : "x".repeat(65);
    await world.place(...orderIds.slice(0, 2), bad, "", ...orderIds.slice(2));
    await using _service = await world.startService();
    for (const orderId of orderIds) {
      await expect.poll(() => factsOf(world, orderId), patience).toEqual(both);
    }
    await expect.poll(() => world.bus.deadLetters("orders").count(), patience).toBe(2);
  },
);

test("an order older than the retention is not shipped again: its shipment may be deleted by now", async () => {
  await using world = await createWorld("postgres");
  const [old, young] = [newOrderId(), newOrderId()];
  const day = 24 * 60 * 60 * 1_000;
  const placedAgo = (orderId: string, ms: number) =>
    placed(orderId, `${orderId}:placed`, new Date(Date.now() - ms));
  await world.bus.publish([placedAgo(old, 8 * day), placedAgo(young, 6 * day)]);
  await using shipping = await world.startService({ ORDER_RETENTION_DAYS: "7" });
  await expect.poll(() => factsOf(world, young), patience).toEqual(both);
  await expect.poll(() => world.bus.deadLetters("orders").count(), patience).toBe(1);
  expect(factsOf(world, old)).toEqual([]);

  await shipping.client.batchDeleteShipments({ orderIds: [old, young] });
  await expect(shipping.client.getShipment({ orderId: young })).rejects.toThrow();
});

test("a restart finishes what was started", async () => {
  await using world = await createWorld("postgres");
  const orderId = newOrderId();
  {
    await using _service = await world.startService({ SHIPPING_DELAY_MS: "500" });
    await world.place(orderId);
    await expect.poll(() => factsOf(world, orderId), patience).toEqual(["OrderShippingStarted"]);
  }
  await using _next = await world.startService();
  await expect.poll(() => factsOf(world, orderId), patience).toEqual(both);
});

test("a parcel leaves when the queue has its event, and says then what was lost of its start", async () => {
  await using world = await createWorld("postgres");
  const bus = losingFirst(world.bus);
  await using shipping = await world.startService({}, bus);
  const orderId = newOrderId();
  await world.place(orderId);
  await expect.poll(() => factsOf(world, orderId), patience).toEqual(["OrderShipped"]);
  expect(bus.lost).toEqual(new Set([`${orderId}:shipping-started`, `${orderId}:shipped`]));
  const [{ event } = { event: undefined }] = world.shipments;
  const { shipment } = await shipping.client.getShipment({ orderId });
  expect(event).toMatchObject({ startedAt: shipment?.startedAt, shippedAt: shipment?.shippedAt });
});

test("of a parcel that leaves at once both events go out together", async () => {
  await using world = await createWorld("postgres");
  const published: string[][] = [];
  const bus: typeof world.bus = {
    ...world.bus,
    publish(events, options) {
      published.push(events.map(({ routingKey }) => routingKey));
      return world.bus.publish(events, options);
    },
  };
  await using _service = await world.startService({ SHIPPING_DELAY_MS: "0" }, bus);
  const orderId = newOrderId();
  await world.place(orderId);
  await expect.poll(() => factsOf(world, orderId), patience).toEqual(both);
  expect(published).toEqual([["order.shipping_started", "order.shipped"]]);
});

test("an update tells again what waited in the outbox of the version before", async () => {
  await using world = await createWorld("postgres");
  const [told, untold] = [newOrderId(), newOrderId()];
  {
    await using _service = await world.startService();
    await world.place(told, untold);
    await expect.poll(() => factsOf(world, untold), patience).toEqual(both);
  }
  await world.sql.query({
    text: `CREATE TABLE outbox AS SELECT '${untold}'::text AS ordering_key;
      DELETE FROM migrations_shipping WHERE number = 3`,
  });
  await using _next = await world.startService();
  await expect.poll(() => factsOf(world, untold), patience).toEqual([...both, "OrderShipped"]);
  expect(factsOf(world, told)).toEqual(both);
});

test("an order that was cancelled before its event arrived is never shipped", async () => {
  await using world = await createWorld("postgres");
  await using shipping = await world.startService();
  const [cancelled, other] = [newOrderId(), newOrderId()];
  const first = await shipping.client.cancelShipment({ orderId: cancelled });
  expect(first.shipment).toMatchObject({ orderId: cancelled, status: ShipmentStatus.CANCELLED });
  expect(first.shipment?.startedAt).toBeUndefined();
  expect(await shipping.client.cancelShipment({ orderId: cancelled })).toEqual(first);

  await world.place(cancelled, other);
  await expect.poll(() => factsOf(world, other), patience).toEqual(both);
  expect(factsOf(world, cancelled)).toEqual([]);
  expect(await startedInFile(world)).toEqual([other]);
  const { shipment } = await shipping.client.getShipment({ orderId: cancelled });
  expect(shipment).toEqual(first.shipment);
});

test("a shipment that has begun cannot be cancelled; one that has not cannot be read", async () => {
  await using world = await createWorld("postgres");
  await using shipping = await world.startService({ SHIPPING_DELAY_MS: "600000" });
  const orderId = newOrderId();
  await world.place(orderId);
  await expect.poll(() => factsOf(world, orderId), patience).toEqual(["OrderShippingStarted"]);
  const late: unknown = await shipping.client.cancelShipment({ orderId }).catch((e: unknown) => e);
  expect(late).toMatchObject({ code: Code.FailedPrecondition });
  expect(problemOf(late)?.code).toBe("SHIPMENT_STARTED");
  expect((await shipping.client.getShipment({ orderId })).shipment).toMatchObject({
    status: ShipmentStatus.STARTED,
    trackingNumber: "",
  });
  const none = shipping.client.getShipment({ orderId: newOrderId() });
  await expect(none).rejects.toMatchObject({ code: Code.NotFound });
  const empty = shipping.client.getShipment({ orderId: "" });
  await expect(empty).rejects.toMatchObject({ code: Code.InvalidArgument });
});

test("of a cancellation and an announcement at once, exactly one wins", async () => {
  await using world = await createWorld("postgres");
  await using shipping = await world.startService();
  const orderIds = Array.from({ length: 30 }, newOrderId);
  const [outcomes] = await Promise.all([
    Promise.allSettled(orderIds.map((orderId) => shipping.client.cancelShipment({ orderId }))),
    world.place(...orderIds),
  ]);
  await expect.poll(async () => (await world.bus.depths()).orders, patience).toBe(0);
  for (const [index, orderId] of orderIds.entries()) {
    const expected = outcomes[index]?.status === "fulfilled" ? [] : both;
    await expect.poll(() => factsOf(world, orderId), patience).toEqual(expected);
  }
});

test("lost connections to the database cost no order", async () => {
  await using world = await createWorld("postgres");
  await using _service = await world.startService();
  const orderIds = Array.from({ length: 60 }, newOrderId);
  for (let start = 0; start < orderIds.length; start += 20) {
    await world.place(...orderIds.slice(start, start + 20));
    await world.sql.query({
      text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'shipping' AND pid <> pg_backend_pid()
          AND datname = current_database()`,
    });
  }
  for (const orderId of orderIds) {
    // What was published when the connection broke is published again, under the same id: one event.
    const facts = () => [...new Set(factsOf(world, orderId))];
    await expect.poll(facts, { timeout: 25_000 }).toEqual(both);
  }
});

test.each([{ SHIPPING_LOG_FILE: "/dev/null/shipping.log" }, { SHIPPING_FAILURE_RATE: "2" }])(
  "%j is refused in one line that names the variable",
  async (env) => {
    await using world = await createWorld("postgres");
    const [variable] = Object.keys(env);
    await expect(world.startService(env)).rejects.toMatchObject({
      code: "START_FAILED",
      variable,
      message: expect.stringMatching(new RegExp(`^${variable}: .+$`)),
    });
  },
);

function foretell(condition: (orderId: string) => boolean): string {
  for (;;) {
    const orderId = newOrderId();
    if (condition(orderId)) return orderId;
  }
}
