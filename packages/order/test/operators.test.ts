/** Orders as operators search them, and what they do about one: on the service as it runs. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import { createServiceClient, problemOf } from "@smartcart/mesh";
import { silentLogger } from "@smartcart/runtime";
import { newOrderId } from "../src/order-id.ts";
import { startRealService } from "./real-service.ts";

type Service = Awaited<ReturnType<typeof startRealService>>;
let service: Service;
let admin: ServiceClient<typeof OrderAdminService>;
const hourMs = 3_600_000;
const begin = Date.now() - 100 * hourMs;

/** 5,000 orders, one an hour and then some, in three states, of ten users and five products. */
async function fill({ database }: Service): Promise<void> {
  const states = ["SHIPPED", "SHIPPED", "SHIPPED", "CANCELLED"];
  const orders = Array.from({ length: 5_000 }, (_, index) => ({
    id: newOrderId(new Date(begin + index * 60_000)),
    user: `user-${index % 10}`,
    state: index === 17 ? "REJECTED" : (states[index % 4] as string),
    at: new Date(begin + index * 60_000),
    items: JSON.stringify([
      { productId: `product-${index % 5}`, name: "Thing", quantity: 1, unitPriceMinor: "100" },
    ]),
  }));
  await database.query({
    text: `insert into orders (order_id, user_id, currency_code, payment_token, trace_id, address, items, total_minor,
             placed_at, state, last_sequence, lease_until)
           select id, "user", 'USD', '', '', 'x', items::jsonb, 100, at, state, 1, now()
           from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) as o (id, "user", state, at, items)`,
    values: [
      orders.map(({ id }) => id),
      orders.map(({ user }) => user),
      orders.map(({ state }) => state),
      orders.map(({ at }) => at),
      orders.map(({ items }) => items),
    ],
  });
}

beforeAll(async () => {
  service = await startRealService();
  await fill(service);
  const address = { caller: "test", baseUrl: service.url, log: silentLogger };
  admin = createServiceClient(OrderAdminService, address);
});
afterAll(async () => {
  admin[Symbol.dispose]();
  await service[Symbol.asyncDispose]();
});

/** All pages of a search: how many orders each has, and all orders. */
async function searchAll(request: Parameters<typeof admin.searchOrders>[0]) {
  const pages: number[] = [];
  const ids: string[] = [];
  let pageToken = "";
  do {
    const answer = await admin.searchOrders({ ...request, pageToken });
    pages.push(answer.orders.length);
    ids.push(...answer.orders.map(({ order }) => order?.orderId ?? ""));
    pageToken = answer.nextPageToken;
  } while (pageToken !== "");
  return { pages, ids };
}

it("finds each order once, newest first, by every condition and all of them together", async () => {
  const all = await searchAll({ pageSize: 100 });
  expect(all.ids).toHaveLength(5_000);
  expect(all.ids).toEqual(all.ids.toSorted().reverse());
  expect((await searchAll({ userId: "user-3", pageSize: 100 })).ids).toHaveLength(500);
  expect((await searchAll({ productId: "product-4", pageSize: 100 })).ids).toHaveLength(1_000);
  expect((await searchAll({ states: ["CANCELLED"], pageSize: 100 })).ids).toHaveLength(1_250);
  const placedSince = timestampFromMs(begin + 10 * hourMs);
  const placedUntil = timestampFromMs(begin + 20 * hourMs);
  expect((await searchAll({ placedSince, placedUntil })).ids).toHaveLength(600);
  const narrow = { placedSince, placedUntil, userId: "user-3", states: ["SHIPPED", "CANCELLED"] };
  expect((await searchAll(narrow)).ids).toHaveLength(60);
  expect((await searchAll({ ...narrow, productId: "product-0" })).ids).toEqual([]);
});

it("looks at 2,000 orders per page at most, and says how far back it has looked", async () => {
  const first = await admin.searchOrders({ states: ["REJECTED"] });
  expect(first.orders).toEqual([]);
  expect(Number(first.searchedBackTo?.seconds)).toBe(Math.floor((begin + 3_000 * 60_000) / 1_000));
  expect((await searchAll({ states: ["REJECTED"] })).pages).toEqual([0, 0, 1]);
});

it("finds what is in progress without looking at what is not, however old it is", async () => {
  const { database } = service;
  await database.query({
    text: `update orders set state = 'CANCELLED_REFUNDING', refusal = 'PAYMENT_NOT_FOUND', lease_until = 'infinity'
           where order_id = (select min(order_id) from orders)`,
  });
  const found = await admin.searchOrders({ states: ["CANCELLED_REFUNDING", "PAID"] });
  expect(found.orders).toMatchObject([
    { state: "CANCELLED_REFUNDING", refusal: "PAYMENT_NOT_FOUND", order: { userId: "user-0" } },
  ]);
  expect(found.nextPageToken).toBe("");
});

it("resumes an order that waits for a person, and one that waits for its shipment", async () => {
  const { database } = service;
  const { orders } = await admin.searchOrders({ states: ["CANCELLED_REFUNDING"] });
  const orderId = orders[0]?.order?.orderId ?? "";
  const answer = await admin.resumeOrder({ orderId });
  expect(answer.order?.refusal).toBe("");
  const confirmed = await admin.searchOrders({ states: ["SHIPPED"], pageSize: 1 });
  const waiting = confirmed.orders[0]?.order?.orderId ?? "";
  await database.query({
    text: "update orders set state = 'CONFIRMED', lease_until = 'infinity' where order_id = $1",
    values: [waiting],
  });
  await admin.resumeOrder({ orderId: waiting });
  const { rows } = await database.query<{ message_id: string }>({
    text: "select message_id from outbox where message_id = $1",
    values: [`${waiting}:placed`],
  });
  expect(rows).toHaveLength(1);
});

it("refuses what an order is not in the state for, in words, and records who asked", async () => {
  const { orders } = await admin.searchOrders({ states: ["SHIPPED"], pageSize: 1 });
  const orderId = orders[0]?.order?.orderId ?? "";
  const codeOf = (call: Promise<unknown>) => call.catch((error: unknown) => problemOf(error)?.code);
  expect(await codeOf(admin.refundOrder({ orderId }))).toBe("ORDER_KEEPS_PAYMENT");
  expect(await codeOf(admin.resumeOrder({ orderId }))).toBe("ORDER_FINAL");
  expect(await codeOf(admin.withdrawOrder({ orderId }))).toBe("ORDER_ALREADY_SHIPPING");
  expect(await codeOf(admin.inspectOrder({ orderId: "ORD-NONE" }))).toBe("ORDER_NOT_FOUND");
  expect(await codeOf(admin.searchOrders({ states: ["LOST"] }))).toBe("INVALID_ARGUMENT");
  const audit = service.lines.filter((line) => line.event === "operator.called");
  const mine = audit.filter((line) => line.orderId === orderId);
  expect(mine.map(({ attributes }) => attributes)).toMatchObject([
    { operator: "this machine", method: "smartcart.order.v1.OrderAdminService/RefundOrder" },
    { operator: "this machine", method: "smartcart.order.v1.OrderAdminService/ResumeOrder" },
    { operator: "this machine", method: "smartcart.order.v1.OrderAdminService/WithdrawOrder" },
  ]);
});
