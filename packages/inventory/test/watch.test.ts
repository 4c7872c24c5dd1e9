import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { errorOf } from "@smartcart/testkit";
import { newId, startTestInventory } from "./support.ts";

it("streams every product first, then those that change, whichever process changed them", async () => {
  await using inventory = await startTestInventory();
  const replica = await inventory.addReplica();
  const productId = await inventory.addProduct(9);
  const abort = new AbortController();
  const seen: Product[][] = [];

  const reading = (async () => {
    for await (const { products } of inventory.client.watchStock({}, { signal: abort.signal })) {
      seen.push(products);
      const available = products.find((p) => p.productId === productId)?.available;
      if (available === 9) await reserve(inventory.client, productId);
      if (available === 8) await reserve(replica.client, productId);
      if (available === 7) abort.abort();
    }
  })();
  expect(ConnectError.from(await errorOf(reading)).code).toBe(Code.Canceled);

  expect(seen[0]).toHaveLength(25);
  const changes = seen.slice(1).flat();
  expect(changes.map((p) => [p.productId, p.available])).toEqual([
    [productId, 8],
    [productId, 7],
  ]);
  const versions = seen.flat().filter((p) => p.productId === productId);
  expect(versions.map((p) => p.version)).toEqual([1n, 2n, 3n]);
});

it("streams only the products that were asked for", async () => {
  await using inventory = await startTestInventory();
  const [a, b] = [await inventory.addProduct(9), await inventory.addProduct(9)];
  const seen: string[] = [];
  for await (const { products } of inventory.client.watchStock({ productIds: [a] })) {
    seen.push(...products.map((p) => p.productId));
    if (seen.length === 2) break;
    await reserve(inventory.client, b);
    await reserve(inventory.client, a);
  }
  expect(seen).toEqual([a, a]);
});

it("answers NOT_FOUND for a product that there is not", async () => {
  await using inventory = await startTestInventory();
  const stream = inventory.client.watchStock({ productIds: ["espresso-beans", "no-such-thing"] });
  const error = await errorOf(stream[Symbol.asyncIterator]().next());
  expect(ConnectError.from(error).code).toBe(Code.NotFound);
  expect((error as Error).message).toContain("no-such-thing");
});

it("ends its streams at shutdown, so that watchers connect to another process", async () => {
  await using inventory = await startTestInventory();
  const stream = inventory.client.watchStock({})[Symbol.asyncIterator]();
  await stream.next();
  const next = errorOf(stream.next() as Promise<unknown>);
  await inventory.service[Symbol.asyncDispose]();
  expect(ConnectError.from(await next).code).toBe(Code.Unavailable);
});

async function reserve(
  client: Awaited<ReturnType<typeof startTestInventory>>["client"],
  productId: string,
) {
  await client.reserve({ reservationId: newId(), lines: [{ productId, quantity: 1 }] });
}
