/** A service that never answers about some orders: recovery of the others goes on beside them. */
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, it } from "vitest";
import { GetShipmentResponseSchema } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { waitFor } from "@smartcart/testkit";
import type { StoredOrder } from "../src/order.ts";
import { startOverdueShipmentPoller } from "../src/overdue-shipment-poller.ts";
import { startResumer } from "../src/saga/resumer.ts";
import { setUp } from "./setup.ts";

let service: Awaited<ReturnType<typeof setUp>>;
beforeAll(async () => {
  service = await setUp();
});
afterAll(() => service[Symbol.asyncDispose]());
beforeEach(async () => {
  await service.database.query({ text: "truncate orders cascade" });
});

/** Orders that have long been waiting; those of the silent service the longest. */
async function insertWaiting(state: string, counts: { silent: number; others: number }) {
  await service.database.query({
    text: `insert into orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token,
             placed_at, trace_id, last_sequence, lease_until)
           select 'ORD-' || n, case when n <= $2 then 'silent' else 'other' end, $1, '[]', 'USD', 0, '', '', now(), '', 1,
             now() - interval '1 day' + n * interval '1 second'
           from generate_series(1, $2::int + $3::int) n`,
    values: [state, counts.silent, counts.others],
  });
}

it("the resumer drives the others, also those that come later", async () => {
  await insertWaiting("RECEIVED", { silent: 90, others: 300 });
  const answers = Promise.withResolvers<void>();
  const driven = new Set<string>();
  const saga = {
    async drive(order: StoredOrder) {
      if (order.userId === "silent") await answers.promise;
      else driven.add(order.orderId);
      return order;
    },
  };
  {
    await using _resumer = startResumer({
      repository: service.repository,
      saga,
      log: silentLogger,
      intervalMs: 10,
    });
    await waitFor(() => driven.size === 300);
    await service.database.query({
      text: "update orders set lease_until = now() - interval '1 hour' where order_id = 'ORD-200'",
    });
    driven.clear();
    await waitFor(() => driven.has("ORD-200"));
    answers.resolve();
  }
});

it("the resumer drives those that wait for another service, however many wait for the silent one", async () => {
  await insertWaiting("STOCK_RESERVED", { silent: 500, others: 0 });
  await service.database.query({
    text: "update orders set state = 'CANCELLED_RELEASING', user_id = 'other' where order_id > 'ORD-3'",
  });
  const answers = Promise.withResolvers<void>();
  const others = new Set<string>();
  const saga = {
    async drive(order: StoredOrder) {
      if (order.userId === "silent") await answers.promise;
      else others.add(order.orderId);
      return order;
    },
  };
  await using _resumer = startResumer({ ...service, saga, log: silentLogger, intervalMs: 10 });
  const { rows } = await service.database.query({
    text: "select count(*)::int as count from orders where user_id = 'other'",
  });
  await waitFor(() => others.size === rows[0]?.count);
  answers.resolve();
});

it("the poller asks about the others", async () => {
  await insertWaiting("CONFIRMED", { silent: 90, others: 300 });
  const answers = Promise.withResolvers<void>();
  const asked = new Set<string>();
  await using _poller = startOverdueShipmentPoller({
    repository: service.repository,
    shipping: {
      async getShipment({ orderId = "" }) {
        if (Number(orderId.slice(4)) <= 90) await answers.promise;
        else asked.add(orderId);
        return create(GetShipmentResponseSchema, {});
      },
    },
    log: silentLogger,
    overdueMs: 60_000,
    intervalMs: 10,
  });
  await waitFor(() => asked.size === 300);
  answers.resolve();
});
