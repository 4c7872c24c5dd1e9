import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { detailOf, problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import type { TestInventory } from "./support.ts";
import { startTestInventory } from "./support.ts";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory();
});
afterAll(() => inventory[Symbol.asyncDispose]());

it("lists a catalogue with prices, pictures and stock from a handful to many", async () => {
  const { products, nextPageToken } = await inventory.client.listProducts({});
  expect(nextPageToken).toBe("");
  expect(products).toHaveLength(24);
  for (const product of products) {
    expect(product.productId).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(product.price).toMatchObject({ currencyCode: "USD" });
    expect(product.price?.minorUnits).toBeGreaterThan(0n);
    expect([...new Intl.Segmenter().segment(product.emoji)]).toHaveLength(1);
    expect(product.description).not.toBe("");
  }
  const units = products.map((product) => product.available as number);
  expect(units.filter((available) => available >= 3 && available <= 5)).not.toHaveLength(0);
  expect(units.filter((available) => available === 100_000).length).toBeGreaterThanOrEqual(4);
});

it("pages through the catalogue by category and name, each product once", async () => {
  const { products: all } = await inventory.client.listProducts({});
  const paged = [];
  let pageToken = "";
  do {
    const page = await inventory.client.listProducts({ pageSize: 7, pageToken });
    expect(page.products.length).toBeLessThanOrEqual(7);
    paged.push(...page.products);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(paged.map((p) => p.productId)).toEqual(all.map((p) => p.productId));
  const keys = all.map((p) => `${p.category}\t${p.name}`);
  expect(keys).toEqual([...keys].sort());
});

it("keeps its place when products come between two pages", async () => {
  const before = await inventory.client.listProducts({ pageSize: 20 });
  await inventory.sql.query({
    text: `INSERT INTO product (product_id, name, description, category, emoji, currency_code, price_minor)
      VALUES ('aaa', 'Aaa', 'Comes first.', 'Aaa', '🧪', 'USD', 1)`,
  });
  await inventory.sql.query({
    text: "INSERT INTO stock (product_id, initial, available) VALUES ('aaa', 1, 1)",
  });
  const after = await inventory.client.listProducts({ pageToken: before.nextPageToken });
  await inventory.sql.query({ text: "DELETE FROM stock WHERE product_id = 'aaa'" });
  await inventory.sql.query({ text: "DELETE FROM product WHERE product_id = 'aaa'" });
  const ids = [...before.products, ...after.products].map((p) => p.productId);
  expect(new Set(ids).size).toBe(24);
  expect(ids).toHaveLength(24);
});

it("refuses a page token that it did not give out, naming the field", async () => {
  const error = await errorOf(inventory.client.listProducts({ pageToken: "nonsense" }));
  expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
  const path = detailOf(error, ViolationsSchema)?.violations[0]?.field?.elements[0]?.fieldName;
  expect(path).toBe("page_token");
});

it("answers one product, or NOT_FOUND with its id", async () => {
  const { product } = await inventory.client.getProduct({ productId: "espresso-beans" });
  expect(product).toMatchObject({ name: "Espresso Beans", category: "Coffee", emoji: "☕" });

  const error = await errorOf(inventory.client.getProduct({ productId: "no-such-thing" }));
  expect(ConnectError.from(error).code).toBe(Code.NotFound);
  expect(problemOf(error)?.code).toBe("PRODUCT_NOT_FOUND");
  expect((error as Error).message).toContain("no-such-thing");
});

it("checks the stock of one product", async () => {
  const { client } = inventory;
  expect(await client.checkStock({ productId: "copper-moka-pot", quantity: 4 })).toMatchObject({
    isAvailable: true,
    available: 4,
  });
  expect(await client.checkStock({ productId: "copper-moka-pot", quantity: 5 })).toMatchObject({
    isAvailable: false,
    available: 4,
  });
  const unknown = await errorOf(client.checkStock({ productId: "no-such-thing", quantity: 1 }));
  expect(ConnectError.from(unknown).code).toBe(Code.NotFound);
  const invalid = await errorOf(client.checkStock({ productId: "espresso-beans", quantity: 0 }));
  expect(ConnectError.from(invalid).code).toBe(Code.InvalidArgument);
});

it("checks several lines and names those that fall short", async () => {
  const answer = await inventory.client.checkAvailability({
    lines: [
      { productId: "espresso-beans", quantity: 2 },
      { productId: "copper-moka-pot", quantity: 3 },
      { productId: "copper-moka-pot", quantity: 3 },
      { productId: "no-such-thing", quantity: 1 },
    ],
  });
  expect(answer).toMatchObject({
    isAvailable: false,
    shortLines: [
      { productId: "copper-moka-pot", requested: 6, available: 4 },
      { productId: "no-such-thing", requested: 1, available: 0 },
    ],
  });
});

it("refuses an id that PostgreSQL could not store", async () => {
  const error = await errorOf(inventory.client.getProduct({ productId: "a\0b" }));
  expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
});
