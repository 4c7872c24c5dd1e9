/** Orders whose messages were lost for good: shipping is asked, and the order goes on from its answer. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { OrderMilestone as Milestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import {
  GetShipmentResponseSchema,
  ShipmentSchema,
  ShipmentStatus,
} from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { startOverdueShipmentPoller } from "../src/overdue-shipment-poller.ts";
import { setUp } from "./setup.ts";

const patience = { timeout: 15_000 };
const startedAt = timestampFromDate(new Date("2026-01-01T10:00:00Z"));
const shippedAt = timestampFromDate(new Date("2026-01-01T11:00:00Z"));

/** An order that was confirmed long ago and heard nothing since, and a poller that asks this shipping service. */
async function setUpOverdue(answer: () => MessageInitShape<typeof ShipmentSchema>) {
  await using started = new AsyncDisposableStack();
  const service = started.use(await setUp());
  const { orderId } = (await service.place()).order;
  const asked: string[] = [];
  // All that was published is as good as lost.
  await service.database.query({ text: "truncate outbox" });
  await service.database.query({
    text: "update orders set lease_until = now() - interval '1 day'",
  });
  started.use(
    startOverdueShipmentPoller({
      repository: service.repository,
      shipping: {
        async getShipment(request) {
          asked.push(request.orderId ?? "");
          const shipment = create(ShipmentSchema, answer());
          return create(GetShipmentResponseSchema, { shipment });
        },
      },
      log: silentLogger,
      overdueMs: 60_000,
      intervalMs: 50,
    }),
  );
  const running = started.move();
  return {
    orderId,
    asked,
    history: () => service.history(orderId),
    outbox: async () =>
      (
        await service.database.query({ text: "select message_id from outbox order by position" })
      ).rows.map((row) => row.message_id),
    service,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const confirmed = [
  Milestone.RECEIVED,
  Milestone.STOCK_RESERVED,
  Milestone.PAYMENT_CONFIRMED,
  Milestone.CONFIRMED,
];

it("publishes the order once more, as the same message, where shipping knows nothing of it", async () => {
  await using overdue = await setUpOverdue(() => {
    throw new ConnectError("there is no such shipment", Code.NotFound);
  });
  await expect.poll(overdue.outbox, patience).toEqual([`${overdue.orderId}:placed`]);
  expect(await overdue.history()).toEqual(confirmed);
});

it("asks again later only, and leaves a message alone that still waits", async () => {
  await using overdue = await setUpOverdue(() => {
    throw new ConnectError("there is no such shipment", Code.NotFound);
  });
  await expect.poll(overdue.outbox, patience).toHaveLength(1);
  expect(await overdue.service.repository.leaseOverdue(10, 60_000)).toEqual([]);
  // A minute later nothing has come: it is asked again, but the message is not written twice.
  const { database, repository } = overdue.service;
  await database.query({ text: "update orders set lease_until = lease_until - interval '61 s'" });
  await expect.poll(() => overdue.asked, patience).toHaveLength(2);
  expect(await overdue.outbox()).toHaveLength(1);
  // The second pause is twice as long.
  await database.query({ text: "update orders set lease_until = lease_until - interval '61 s'" });
  expect(await repository.leaseOverdue(10, 60_000)).toEqual([]);
});

it("takes up what shipping has done meanwhile, with its times", async () => {
  await using overdue = await setUpOverdue(() => ({
    status: ShipmentStatus.SHIPPED,
    startedAt,
    shippedAt,
  }));
  await expect
    .poll(overdue.history, patience)
    .toEqual([...confirmed, Milestone.SHIPPING_STARTED, Milestone.SHIPPED]);
  // Subscribers of the order get the events as for any other transition.
  expect(await overdue.outbox()).toEqual([`${overdue.orderId}:status:6`]);
});

it("is at rest where the shipment has begun and nothing is new", async () => {
  await using overdue = await setUpOverdue(() => ({ status: ShipmentStatus.STARTED, startedAt }));
  await expect.poll(overdue.history, patience).toEqual([...confirmed, Milestone.SHIPPING_STARTED]);
  const { database } = overdue.service;
  await database.query({ text: "update orders set lease_until = now() - interval '1 day'" });
  await expect.poll(() => overdue.asked.length, patience).toBeGreaterThan(1);
  expect(await overdue.history()).toEqual([...confirmed, Milestone.SHIPPING_STARTED]);
});

it("announces no order whose message failed: a copy would be one more dead letter", async () => {
  await using overdue = await setUpOverdue(() => ({ status: ShipmentStatus.FAILING }));
  await expect.poll(() => overdue.asked.length, patience).toBe(1);
  await overdue.service.database.query({
    text: "update orders set lease_until = now() - interval '1 day'",
  });
  await expect.poll(() => overdue.asked.length, patience).toBe(2);
  expect(await overdue.outbox()).toEqual([]);
  expect(await overdue.history()).toEqual(confirmed);
});

it("goes on after an answer that did not come", async () => {
  let calls = 0;
  await using overdue = await setUpOverdue(() => {
    if (calls++ === 0) throw new ConnectError("away", Code.Unavailable);
    return { status: ShipmentStatus.STARTED, startedAt };
  });
  await expect.poll(() => calls, patience).toBe(1);
  await overdue.service.database.query({
    text: "update orders set lease_until = now() - interval '1 day'",
  });
  await expect.poll(overdue.history, patience).toEqual([...confirmed, Milestone.SHIPPING_STARTED]);
});
