import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderStatusChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { freePorts, startForwarder } from "@smartcart/testkit";
import { createWorld, engines, follow, newOrderId, patience, wholeLife } from "./support.ts";

test.each(engines)(
  "on %s, late, early and reconnecting clients of two hubs get every status, contiguous from 1",
  async (engine) => {
    await using world = await createWorld(engine);
    await using one = await world.startHub();
    await using other = await world.startHub();
    const orderId = newOrderId();

    using early = await follow(one, { orderId });
    await expect.poll(() => early.frames, patience).toHaveLength(1);
    expect(early.frames[0]?.error).toEqual({
      code: "UNKNOWN_ORDER",
      message: `no order has the id ${orderId} yet; if it is placed, its statuses follow on this connection`,
      field: "subscribe.orderId",
    });

    await world.advance(orderId, "u1", 3);
    await expect.poll(() => early.statuses(orderId), patience).toEqual(wholeLife.slice(0, 3));
    using late = await follow(other, { orderId });
    await expect.poll(() => late.statuses(orderId), patience).toEqual(wholeLife.slice(0, 3));
    early.socket.terminate();

    await world.advance(orderId);
    await world.advance(orderId);
    // Half way, to the other hub, after what it has.
    using again = await follow(other, { orderId, afterSequence: 3 });
    await world.advance(orderId);
    await expect.poll(() => again.statuses(orderId), patience).toEqual(wholeLife.slice(3));
    await expect.poll(() => late.statuses(orderId), patience).toEqual(wholeLife);
    using last = await follow(one, { orderId });
    await expect.poll(() => last.statuses(orderId), patience).toEqual(wholeLife);
    expect(last.frames[0]).toEqual({
      orderId,
      status: "Order Received",
      sequence: 1,
      occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: "order",
    });
  },
);

test("clients that come at every moment of an order's life miss nothing and get nothing twice", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderIds = Array.from({ length: 10 }, newOrderId);
  const clients: Awaited<ReturnType<typeof follow>>[] = [];
  await Promise.all([
    ...orderIds.map(async (orderId) => {
      for (let step = 0; step < 6; step++) await world.advance(orderId);
    }),
    ...orderIds.flatMap((orderId) =>
      Array.from({ length: 8 }, async () => void clients.push(await follow(hub, { orderId }))),
    ),
  ]);
  expect(clients).toHaveLength(80);
  for (const client of clients) {
    const statuses = () => client.frames.filter(({ sequence }) => sequence !== undefined);
    await expect.poll(statuses, patience).toHaveLength(6);
    expect(statuses().map(({ sequence, status }) => `${sequence} ${status}`)).toEqual(wholeLife);
    client.socket.terminate();
  }
});

test("an event that was lost is read when the next one comes; one that comes twice is sent once", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId);
  using client = await follow(hub, { orderId });
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(1);
  world.orders.commit(orderId);
  const third = world.orders.commit(orderId);
  await world.announce(third, third);
  await world.advance(orderId);
  await expect.poll(() => client.statuses(orderId), patience).toEqual(wholeLife.slice(0, 4));
});

test.each(engines)("on %s, statuses that come one by one are heard as well", async (engine) => {
  await using world = await createWorld(engine);
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId);
  using client = await follow(hub, { orderId });
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(1);
  const single = world.orders.commit(orderId);
  await world.bus.publish([createEvent(OrderStatusChangedSchema, single, { id: randomUUID() })]);
  await expect.poll(() => client.statuses(orderId), patience).toEqual(wholeLife.slice(0, 2));
  expect(world.orders.reads).toBe(1);
});

test("while the order service is away a gap ends in a resync, never in silence; later events make up for it", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId);
  using client = await follow(hub, { orderId });
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(1);
  world.orders.failure = new Error("away");
  world.orders.commit(orderId);
  await world.advance(orderId);
  await expect
    .poll(() => client.frames.find(({ resync }) => resync), patience)
    .toMatchObject({
      resync: { orderId, lastSequence: 1, reason: expect.stringContaining("subscribe again") },
    });
  expect(client.statuses(orderId)).toHaveLength(1);
  world.orders.failure = undefined;
  await world.advance(orderId);
  await expect.poll(() => client.statuses(orderId), patience).toEqual(wholeLife.slice(0, 4));
});

test("a short failure of the order service is not noticed", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId, "u1", 2);
  world.orders.failure = new Error("away");
  using client = await follow(hub, { orderId });
  await expect.poll(() => world.orders.reads, patience).toBe(1);
  world.orders.failure = undefined;
  await expect.poll(() => client.statuses(orderId), patience).toEqual(wholeLife.slice(0, 2));
  expect(client.frames).toHaveLength(2);
});

test("what was announced while the queue was away is read when it is back", async () => {
  await using world = await createWorld("rabbitmq");
  const broker = new URL(world.amqpUrl ?? "");
  const target = { host: broker.hostname, port: Number(broker.port) };
  const [port = 0] = await freePorts(1);
  const line = await startForwarder({ port, target });
  broker.port = `${port}`;
  await using bus = await openBus({
    amqpUrl: broker.href,
    databaseUrl: "",
    name: "hub",
    log: silentLogger,
  });
  await using hub = await world.startHub({}, { bus });
  const orderId = newOrderId();
  await world.advance(orderId);
  using ofOrder = await follow(hub, { orderId });
  using ofUser = await follow(hub, { userId: "u1" });
  await expect.poll(() => ofOrder.statuses(orderId), patience).toHaveLength(1);
  await expect.poll(() => ofUser.statuses(orderId), patience).toHaveLength(1);

  await line[Symbol.asyncDispose]();
  const unheard = newOrderId();
  await world.advance(orderId);
  await world.advance(unheard);
  expect((await fetch(`${hub.url}/readyz`)).status).toBe(503);
  await using _restored = await startForwarder({ port, target });
  await expect.poll(() => ofOrder.statuses(orderId), patience).toEqual(wholeLife.slice(0, 2));
  await expect.poll(() => ofUser.statuses(orderId), patience).toEqual(wholeLife.slice(0, 2));
  await expect.poll(() => ofUser.statuses(unheard), patience).toEqual(wholeLife.slice(0, 1));
});

test("who unsubscribes hears no more of it", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const [left, kept] = [newOrderId(), newOrderId()];
  await world.advance(left);
  await world.advance(kept);
  using client = await follow(hub, { orderId: left });
  client.send({ subscribe: { orderId: kept } });
  await expect
    .poll(() => client.statuses(left).length + client.statuses(kept).length, patience)
    .toBe(2);
  client.send({ unsubscribe: { orderId: left } });
  await world.advance(left);
  // Both requests are of one connection, so this answer comes after the first had its effect.
  client.send({});
  await expect.poll(() => client.frames.at(-1)?.error?.code, patience).toBe("INVALID_FRAME");
  await world.advance(left);
  await world.advance(kept);
  await expect.poll(() => client.statuses(kept), patience).toHaveLength(2);
  expect(client.statuses(left).length).toBeLessThanOrEqual(2);
});
