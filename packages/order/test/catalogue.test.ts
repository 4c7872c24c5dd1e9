/** Orders have the prices of the moment at which they are placed; what inventory said lately serves while it does not answer. */
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it, vi } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { errorOf, waitFor } from "@smartcart/testkit";
import { createCatalogue } from "../src/catalogue.ts";
import { startRealService } from "./real-service.ts";
import { createWorld } from "./scripted-peers.ts";

/** Holds every call for prices until it is let go, or fails it. */
function holdPrices() {
  let asked = 0;
  let fails = false;
  let gate = Promise.withResolvers<void>();
  const wrap = (transport: Transport): Transport => ({
    ...transport,
    async unary(method, signal, ...rest) {
      if (method.name === "BatchGetProducts") {
        asked += 1;
        if (fails) throw new ConnectError("away", Code.Unavailable);
        const aborted = new Promise<never>((_, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason)),
        );
        await Promise.race([gate.promise, aborted]);
      }
      return transport.unary(method, signal, ...rest);
    },
  });
  return {
    wrap,
    letGo: () => gate.resolve(),
    hold: () => {
      gate = Promise.withResolvers();
    },
    fail: () => {
      fails = true;
    },
    get asked() {
      return asked;
    },
  };
}

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
const totalOf = async (answer: Response) =>
  ((await answer.json()) as { total: { minorUnits: string } }).total.minorUnits;

it("an order has the price that was set just before it, and keeps it", async () => {
  await using service = await startRealService();
  const first = await service.place();
  service.world.products.set("tea", { name: "Tea", price: usd(475n) });
  const second = await service.place();
  expect([await totalOf(first), await totalOf(second)]).toEqual(["450", "475"]);
});

it("a caller who hangs up while prices are read does not take them from the others, and is no failure", async () => {
  const prices = holdPrices();
  await using service = await startRealService({ wrap: prices.wrap });
  const hangsUp = new AbortController();
  const first = service.place({ userId: "first" }, { signal: hangsUp.signal });
  await waitFor(() => prices.asked === 1);
  const others = Array.from({ length: 5 }, (_, index) => service.place({ userId: `u${index}` }));
  hangsUp.abort();
  await expect(first).rejects.toThrow();
  prices.letGo();
  const answers = await Promise.all(others);
  expect(answers.map(({ status }) => status)).toEqual(others.map(() => 201));
  expect(service.lines.filter(({ event }) => event.startsWith("catalogue."))).toEqual([]);
});

it("orders that come together share a call, which asks for each product once", async () => {
  const { peers } = createWorld();
  const asked: string[][] = [];
  const catalogue = createCatalogue({
    inventory: {
      batchGetProducts(request) {
        asked.push([...(request.productIds ?? [])]);
        return peers.inventory.batchGetProducts(request);
      },
    },
    log: silentLogger,
  });
  const orders = Array.from({ length: 20 }, (_, index) => [
    { productId: "tea", quantity: 1 },
    { productId: index % 2 === 0 ? "pot" : "tea", quantity: 2 },
  ]);
  const priced = await Promise.all(orders.map((items) => catalogue.price(items)));
  expect(asked).toEqual([["tea", "pot"]]);
  expect(priced.map(({ items }) => items[1]?.unitPriceMinor)).toEqual(
    orders.map((items) => (items[1]?.productId === "pot" ? 2_999n : 450n)),
  );
});

it("while inventory is away the last prices serve, but for an order that expects others", async () => {
  const prices = holdPrices();
  prices.letGo();
  await using service = await startRealService({ wrap: prices.wrap });
  expect((await service.place()).status).toBe(201);
  prices.fail();
  expect((await service.place()).status).toBe(201);
  const expectedTotal = { currencyCode: "USD", minorUnits: "475" };
  for (const body of [{ expectedTotal }, { items: [{ productId: "pot", quantity: 1 }] }]) {
    const refused = await service.place(body);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "CATALOGUE_UNAVAILABLE" });
  }
});

it("a price that was read long ago does not serve any more", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  using _real = { [Symbol.dispose]: () => void vi.useRealTimers() };
  const { peers } = createWorld();
  let isAway = false;
  const catalogue = createCatalogue({
    inventory: {
      batchGetProducts: (request) =>
        isAway
          ? Promise.reject(new ConnectError("away", Code.Unavailable))
          : peers.inventory.batchGetProducts(request),
    },
    log: silentLogger,
  });
  const items = [{ productId: "tea", quantity: 1 }];
  expect(await catalogue.price(items)).toMatchObject({ isCurrent: true });
  isAway = true;
  vi.advanceTimersByTime(59_000);
  expect(await catalogue.price(items)).toMatchObject({ isCurrent: false });
  vi.advanceTimersByTime(2_000);
  expect(await errorOf(catalogue.price(items))).toMatchObject({ code: "CATALOGUE_UNAVAILABLE" });
});
