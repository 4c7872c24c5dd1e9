/** Reports of shipping are applied to the order; foreign messages of its queue become dead letters. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import { OrderMilestone as Milestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { silentLogger } from "@smartcart/runtime";
import { startShipmentsConsumer } from "../src/shipments-consumer.ts";
import { listHistory } from "../src/store/read-orders.ts";
import { setUp } from "./setup.ts";

const patience = { timeout: 15_000 };
const time = (seconds: bigint, nanos = 0) => ({ seconds, nanos });
const startedAt = time(1_767_261_600n);
const shippedAt = time(1_767_265_200n);

/** A confirmed order, and the consumer that waits for news of its shipment. */
async function setUpConsumer() {
  await using started = new AsyncDisposableStack();
  const service = started.use(await setUp());
  const { database } = service;
  const bus = started.use(
    await openBus({ databaseUrl: database.url, name: "test", log: silentLogger }),
  );
  const { repository } = service;
  started.use(await startShipmentsConsumer({ bus, repository, log: silentLogger }));
  const { orderId } = (await service.place()).order;
  const moved: string[] = [];
  repository.onMoved((id) => moved.push(id));
  const running = started.move();
  return {
    service,
    moved,
    orderId,
    dead: bus.deadLetters("shipments"),
    started: (event: MessageInitShape<typeof OrderShippingStartedSchema>, id: string) =>
      bus.publish([
        createEvent(OrderShippingStartedSchema, create(OrderShippingStartedSchema, event), { id }),
      ]),
    shipped: (event: MessageInitShape<typeof OrderShippedSchema>, id: string) =>
      bus.publish([createEvent(OrderShippedSchema, create(OrderShippedSchema, event), { id })]),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

it("applies both reports to the history, once", async () => {
  await using shop = await setUpConsumer();
  const { orderId } = shop;
  await shop.started({ orderId, startedAt }, "one");
  await shop.started({ orderId, startedAt }, "one");
  await shop.shipped({ orderId, startedAt, shippedAt, trackingNumber: "SC1" }, "two");
  await expect
    .poll(async () => (await shop.service.history(orderId)).slice(4), patience)
    .toEqual([Milestone.SHIPPING_STARTED, Milestone.SHIPPED]);
  expect(await shop.dead.count()).toBe(0);
});

it("keeps what cannot be stored out of the history, where it can be seen", async () => {
  await using shop = await setUpConsumer();
  const { orderId } = shop;
  await shop.started({ orderId, startedAt: time(253_402_300_800n) }, "year-10000");
  await shop.shipped({ orderId, shippedAt: time(1n, -1) }, "nanos");
  await shop.shipped({ orderId, shippedAt: time(-(2n ** 63n)) }, "before-time");
  await shop.shipped({ orderId, shippedAt, trackingNumber: "\0" }, "nul");
  await shop.started({ orderId }, "no-time");
  await expect.poll(() => shop.dead.count(), patience).toBe(5);
  const letters = (await shop.dead.list()).map(({ id, reason }) => `${id}: ${reason}`).sort();
  expect(letters).toEqual([
    expect.stringMatching(/^before-time: .*shippedAt: /),
    expect.stringMatching(/^nanos: .*shippedAt: must be a time/),
    expect.stringMatching(/^no-time: .*startedAt: value is required/),
    expect.stringMatching(/^nul: .*trackingNumber: /),
    expect.stringMatching(/^year-10000: .*startedAt: must be .* 9999-12-31/),
  ]);
  await shop.shipped({ orderId, shippedAt }, "good");
  await expect
    .poll(async () => (await shop.service.history(orderId)).at(-1), patience)
    .toBe(Milestone.SHIPPED);
  const last = (await listHistory(shop.service.database, orderId, 0)).at(-1);
  expect(last?.occurredAt).toEqual(
    timestampDate({ $typeName: "google.protobuf.Timestamp", ...shippedAt }),
  );
});

it("lets a dead letter that is put back have its effect", async () => {
  await using shop = await setUpConsumer();
  const { orderId, service } = shop;
  const set = (state: string) =>
    service.database.query({
      text: "update orders set state = $1 where order_id = $2",
      values: [state, orderId],
    });
  await set("PAID");
  await shop.started({ orderId: "ORD-unknown", startedAt }, "stranger");
  await shop.started({ orderId, startedAt }, "too-soon");
  await expect.poll(() => shop.dead.count(), patience).toBe(2);
  expect((await shop.dead.list()).map(({ reason }) => reason).sort()).toEqual([
    "no order has the id ORD-unknown",
    `order ${orderId} is PAID`,
  ]);
  expect(shop.moved).toEqual([]);

  await set("CONFIRMED");
  expect(await shop.dead.redrive(["too-soon"])).toBe(1);
  await expect
    .poll(async () => (await service.history(orderId)).at(-1), patience)
    .toBe(Milestone.SHIPPING_STARTED);
  await expect.poll(() => shop.moved, patience).toEqual([orderId]);
});
