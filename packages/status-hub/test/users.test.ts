import { expect, test } from "vitest";
import { createWorld, engines, follow, newOrderId, patience, wholeLife } from "./support.ts";

test.each(engines)(
  "on %s, a user's orders are told whole, the oldest first, then live, new ones too",
  async (engine) => {
    await using world = await createWorld(engine);
    await using hub = await world.startHub();
    const orderIds = Array.from({ length: 5 }, newOrderId);
    // Stored and not published: an event that is still under way would come live, in the midst of the replay,
    // and between two orders no order of live events is promised.
    for (const [index, orderId] of orderIds.entries())
      for (let step = 0; step <= index; step++) world.orders.commit(orderId, "u1");
    for (let step = 0; step < 3; step++) world.orders.commit(newOrderId(), "u2");

    using client = await follow(hub, { userId: "u1" });
    await expect.poll(() => client.frames, patience).toHaveLength(1 + 2 + 3 + 4 + 5);
    const expected = orderIds.flatMap((orderId, index) => Array(index + 1).fill(orderId));
    expect(client.frames.map(({ orderId }) => orderId)).toEqual(expected);

    const [oldest = ""] = orderIds;
    const fresh = newOrderId();
    await world.advance(fresh, "u1");
    await world.advance(oldest, "u1");
    await world.advance(fresh, "u1", 2);
    await expect.poll(() => client.statuses(fresh), patience).toEqual(wholeLife.slice(0, 3));
    await expect.poll(() => client.statuses(oldest), patience).toEqual(wholeLife.slice(0, 2));
  },
);

test("of many orders the newest twenty are told; an older one is told whole when it moves", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderIds = Array.from({ length: 23 }, newOrderId);
  for (const orderId of orderIds) world.orders.commit(orderId);
  using client = await follow(hub, { userId: "u1" });
  await expect.poll(() => client.frames, patience).toHaveLength(20);
  expect(client.frames.map(({ orderId }) => orderId)).toEqual(orderIds.slice(3));
  const [first = ""] = orderIds;
  await world.advance(first);
  await expect.poll(() => client.statuses(first), patience).toEqual(wholeLife.slice(0, 2));
});

test("who follows a user and one of the user's orders gets each status once", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  const orderId = newOrderId();
  await world.advance(orderId, "u1", 2);
  using client = await follow(hub, { orderId });
  await expect.poll(() => client.statuses(orderId), patience).toHaveLength(2);
  client.send({ subscribe: { userId: "u1" } });
  await world.advance(orderId, "u1", 4);
  await expect.poll(() => client.statuses(orderId), patience).toEqual(wholeLife);
});

test("a user whose orders cannot be read ends in a resync", async () => {
  await using world = await createWorld();
  await using hub = await world.startHub();
  world.orders.failure = new Error("away");
  using client = await follow(hub, { userId: "u1" });
  await expect
    .poll(() => client.frames, patience)
    .toMatchObject([{ resync: { reason: expect.stringContaining("u1") } }]);
  // What comes live still comes.
  world.orders.failure = undefined;
  const orderId = newOrderId();
  await world.advance(orderId);
  await expect.poll(() => client.statuses(orderId), patience).toEqual(wholeLife.slice(0, 1));
});
