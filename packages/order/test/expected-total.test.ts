/** What the customer saw and what the order costs: by REST, Connect and gRPC. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChangedPricesSchema } from "@smartcart/gen/order/v1/order_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { detailOf, problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import { startRealService } from "./real-service.ts";

let service: Awaited<ReturnType<typeof startRealService>>;
beforeAll(async () => {
  service = await startRealService();
});
afterAll(() => service[Symbol.asyncDispose]());
beforeEach(() => {
  service.world.products.set("tea", { name: "Tea", price: usd(450n) });
});

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
const json = (minorUnits: string, currencyCode = "USD") => ({ currencyCode, minorUnits });
const withKey = (key: string) => ({
  headers: { "content-type": "application/json", "idempotency-key": key },
});
const countOrders = async () =>
  (await service.database.query({ text: "select count(*)::int as n from orders" })).rows[0].n;

describe("expected_total", () => {
  it("the price changes between basket and order: 409 with the new prices, and the same key takes the new total", async () => {
    const before = await countOrders();
    service.world.products.set("tea", { name: "Tea", price: usd(475n) });
    const items = [{ productId: "tea", quantity: 2 }];
    const refused = await service.place({ items, expectedTotal: json("900") }, withKey("basket-1"));
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      code: "PRICE_CHANGED",
      total: json("950"),
      items: [{ productId: "tea", name: "Tea", quantity: 2, unitPrice: json("475") }],
    });
    expect(await countOrders()).toBe(before);
    const body = { items, expectedTotal: json("950") };
    const placed = await service.place(body, withKey("basket-1"));
    expect(placed.status).toBe(201);
    service.world.products.set("tea", { name: "Tea", price: usd(1n) });
    const again = await service.place(body, withKey("basket-1"));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await again.text()).toBe(await placed.text());
    expect(await countOrders()).toBe(before + 1);
  });

  it("another currency is another total", async () => {
    const refused = await service.place({ expectedTotal: json("450", "EUR") });
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: "PRICE_CHANGED" });
    expect((await service.place({ expectedTotal: json("450") })).status).toBe(201);
  });

  it.each([
    ["Connect", () => service.client],
    ["gRPC", () => createClient(OrderService, createGrpcTransport({ baseUrl: service.url }))],
  ])("over %s it is a typed detail", async (_, clientOf) => {
    const request = {
      userId: "u1",
      address: "1 Main St",
      items: [{ productId: "tea", quantity: 1 }],
    };
    const client = clientOf();
    const error = await errorOf(client.placeOrder({ ...request, expectedTotal: usd(1n) }));
    expect(problemOf(error)).toMatchObject({ code: "PRICE_CHANGED", httpStatus: 409 });
    expect(detailOf(error, ChangedPricesSchema)).toMatchObject({ total: usd(450n) });
    const { order } = await client.placeOrder({ ...request, expectedTotal: usd(450n) });
    expect(order?.total).toMatchObject(usd(450n));
  });
});

it("names every line that cannot be ordered: unknown, archived, or in another currency", async () => {
  const eur = { currencyCode: "EUR", minorUnits: 100n };
  service.world.products.set("cup", { name: "Cup", price: eur });
  service.world.products.set("old", { name: "Old", price: usd(1n), archived: true });
  const items = ["old", "tea", "cup", "none"].map((productId) => ({ productId, quantity: 1 }));
  const refused = await service.place({ items });
  expect(refused.status).toBe(400);
  const { violations } = (await refused.json()) as { violations: Record<string, string>[] };
  expect(violations.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'items[0].productId: "old" is no longer sold; remove it from the order',
    'items[2].productId: "cup" is priced in EUR, but items[1] in USD: an order has one currency; place separate orders',
    'items[3].productId: the catalogue has no product "none"',
  ]);
});
