import { create } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { BatchDeleteReservationsResponseSchema } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { BatchDeletePaymentsResponseSchema } from "@smartcart/gen/payment/v1/payment_service_pb";
import { BatchDeleteShipmentsResponseSchema } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { silentLogger } from "@smartcart/runtime";
import type { RetentionPeers } from "../src/retention.ts";
import { requireRetention, startRetention } from "../src/retention.ts";
import { setUp } from "./setup.ts";

const day = 24 * 60 * 60 * 1_000;
const patience = { timeout: 15_000 };

it("asks the other services until each has deleted its part, whichever is away and whichever process dies", async () => {
  await using service = await setUp();
  const { database } = service;
  const young = (await service.place()).order.orderId;
  const ids = [young];
  for (let count = 0; count < 4; count += 1) ids.push((await service.place()).order.orderId);
  await database.query({
    text: "update orders set state = 'SHIPPED' where order_id <> $1",
    values: [young],
  });

  const deleted = {
    shipping: new Set<string>(),
    payment: new Set<string>(),
    inventory: new Set<string>(),
  };
  // How the first calls go: "lost" takes effect without an answer, "away" does not.
  const faults = ["lost", "", "away", "", "", "lost", "", "lost"];
  const take = (from: Set<string>, ids: readonly string[] = []) => {
    const fault = faults.shift();
    if (fault !== "away") for (const id of ids) from.add(id);
    if (fault) throw new ConnectError(fault, Code.Unavailable);
  };
  const peers: RetentionPeers = {
    shipping: {
      async batchDeleteShipments({ orderIds }) {
        take(deleted.shipping, orderIds);
        return create(BatchDeleteShipmentsResponseSchema);
      },
    },
    payment: {
      async batchDeletePayments({ orderIds }) {
        take(deleted.payment, orderIds);
        return create(BatchDeletePaymentsResponseSchema);
      },
    },
    inventory: {
      async batchDeleteReservations({ reservationIds }) {
        take(deleted.inventory, reservationIds);
        return create(BatchDeleteReservationsResponseSchema);
      },
    },
  };
  const options = {
    database,
    peers,
    log: silentLogger,
    now: () => new Date(Date.now() + 2 * day),
    intervalMs: 5,
    batchSize: 3,
  };
  {
    // One that dies after its first step: the note is left.
    const silent: RetentionPeers = { ...peers, shipping: { batchDeleteShipments: untilAborted } };
    await using _ = startRetention({ ...options, days: 1, peers: silent });
    await expect
      .poll(
        async () => (await database.query({ text: "select from deleted_orders" })).rowCount,
        patience,
      )
      .toBe(3);
  }
  // Also after the retention was turned off, what was begun is finished.
  {
    await using _ = startRetention({ ...options, days: 0 });
    await expect
      .poll(
        async () => (await database.query({ text: "select from deleted_orders" })).rowCount,
        patience,
      )
      .toBe(0);
  }
  expect(deleted.shipping.size).toBe(3);
  await using _ = startRetention({ ...options, days: 1 });
  const left = async () =>
    (
      await database.query({
        text: "select order_id from orders union all select order_id from deleted_orders",
      })
    ).rows.map((row) => row.order_id);
  await expect.poll(left, patience).toEqual([young]);
  const old = new Set(ids.filter((id) => id !== young));
  expect(deleted).toEqual({ shipping: old, payment: old, inventory: old });
  expect(await service.history(young)).not.toEqual([]);
  expect(await service.history(ids[1] ?? "")).toEqual([]);
});

function untilAborted(_: unknown, o?: CallOptions): Promise<never> {
  return new Promise((_, reject) => {
    // The retention may have ended before it makes this call.
    if (o?.signal?.aborted) reject(o.signal.reason);
    o?.signal?.addEventListener("abort", () => reject(o.signal?.reason));
  });
}

it.each([
  [0, day, true],
  [1, day, true],
  [0.5, day, false],
  [-1, 1, false],
  [40_000, day, false],
])("a retention of %d days with keys of %d ms is right: %s", (days, ttlMs, isRight) => {
  const attempt = () => requireRetention(days, ttlMs);
  if (isRight) expect(attempt).not.toThrow();
  else expect(attempt).toThrow("ORDER_RETENTION_DAYS");
});
