/** Operators add, edit, archive and search products. */
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ArchiveFilter,
  CatalogueOrder,
} from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import { ProductChangedSchema } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { detailOf, problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import type { TestInventory } from "./support.ts";
import { startTestInventory } from "./support.ts";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory();
});
afterAll(() => inventory[Symbol.asyncDispose]());

let count = 0;
const teapot = () => ({
  productId: `teapot-${++count}`,
  name: "Théière « Été »",
  description: "Enamelled, one litre.",
  category: "Tea",
  emoji: "🫖",
  pictureUrl: "https://pictures.example/teapot.webp",
  price: { currencyCode: "EUR", minorUnits: 4_950n },
  initialStock: 7,
});

async function addTeapot() {
  const { product } = await inventory.admin.createProduct(teapot());
  if (!product?.product) throw new Error("no product was returned");
  return { id: product.product.productId, revision: product.revision };
}

const fieldsOf = (error: unknown) =>
  detailOf(error, ViolationsSchema)?.violations.map(({ field }) =>
    field?.elements.map(({ fieldName }) => fieldName).join("."),
  );

describe("CreateProduct", () => {
  it("adds a product that customers see at once, and says the same when it is repeated", async () => {
    const request = teapot();
    const { product } = await inventory.admin.createProduct(request);
    const { initialStock, ...shown } = request;
    expect(product).toMatchObject({ revision: 1n, reserved: 0 });
    expect(product?.product).toMatchObject({ ...shown, available: initialStock, archived: false });
    const { product: seen } = await inventory.client.getProduct(request);
    expect(seen).toEqual(product?.product);
    expect((await inventory.admin.createProduct(request)).product).toEqual(product);
    const other = await errorOf(inventory.admin.createProduct({ ...request, name: "Kettle" }));
    expect(problemOf(other)?.code).toBe("PRODUCT_EXISTS");
  });

  it.each([
    [{ emoji: "teapot" }, "emoji"],
    [{ emoji: "🫖🫖" }, "emoji"],
    [{ pictureUrl: "http://pictures.example/x.png" }, "picture_url"],
    [{ pictureUrl: "javascript:alert(1)" }, "picture_url"],
    [{ pictureUrl: "/pictures/../x" }, "picture_url"],
    [{ price: { currencyCode: "ZZZ", minorUnits: 1n } }, "price.currency_code"],
    [{ price: undefined }, "price"],
    [{ name: "" }, "name"],
    [{ initialStock: -1 }, "initial_stock"],
  ])("refuses %o and names %s", async (wrong, field) => {
    const error = await errorOf(inventory.admin.createProduct({ ...teapot(), ...wrong } as object));
    expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
    expect(fieldsOf(error)).toEqual([field]);
  });
});

describe("UpdateProduct", () => {
  it("changes what is set, and no sale in between makes the edit stale", async () => {
    const { id, revision } = await addTeapot();
    const lines = [{ productId: id, quantity: 2 }];
    await inventory.client.reserve({ reservationId: `sale-of-${id}`, lines });
    const price = { currencyCode: "EUR", minorUnits: 100n };
    const { product } = await inventory.admin.updateProduct({ productId: id, revision, price });
    expect(product).toMatchObject({ revision: 2n, reserved: 2 });
    expect(product?.product).toMatchObject({ name: "Théière « Été »", price, available: 5 });
  });

  it("tells the second of two operators, with the product as it is now", async () => {
    const { id, revision } = await addTeapot();
    const edit = (name: string) => inventory.admin.updateProduct({ productId: id, revision, name });
    const results = await Promise.allSettled([edit("One"), edit("Two")]);
    const refused = results.find((result) => result.status === "rejected")?.reason;
    expect(ConnectError.from(refused).code).toBe(Code.Aborted);
    expect(problemOf(refused)?.code).toBe("PRODUCT_CHANGED");
    const { product } = await inventory.admin.getCatalogueProduct({ productId: id });
    expect(product).toMatchObject({ revision: 2n });
    expect(detailOf(refused, ProductChangedSchema)?.current).toEqual(product);
  });

  it("is idempotent: a repeated edit is the product as it is", async () => {
    const { id, revision } = await addTeapot();
    const request = { productId: id, revision, category: "Kitchen" };
    const { product } = await inventory.admin.updateProduct(request);
    expect((await inventory.admin.updateProduct(request)).product).toEqual(product);
  });

  it("answers NOT_FOUND for a product that does not exist", async () => {
    const request = { productId: "no-such-thing", revision: 1n, name: "x" };
    expect(problemOf(await errorOf(inventory.admin.updateProduct(request)))?.code).toBe(
      "PRODUCT_NOT_FOUND",
    );
  });
});

it("archives a product: no longer listed or available, still readable, and restored", async () => {
  const { admin, client } = inventory;
  const { id, revision } = await addTeapot();
  await admin.archiveProduct({ productId: id, revision });
  const listed = await client.listProducts({ query: id });
  expect(listed.products).toEqual([]);
  expect((await client.getProduct({ productId: id })).product?.archived).toBe(true);
  expect(await client.checkStock({ productId: id, quantity: 1 })).toMatchObject({
    isAvailable: false,
    available: 0,
  });
  const idsOf = async (archiveFilter: ArchiveFilter) => {
    const { products } = await admin.listCatalogueProducts({ query: id, archiveFilter });
    return products.map(({ product }) => product?.productId);
  };
  expect(await idsOf(ArchiveFilter.UNSPECIFIED)).toEqual([]);
  expect(await idsOf(ArchiveFilter.ARCHIVED)).toEqual([id]);
  expect(await idsOf(ArchiveFilter.ALL)).toEqual([id]);
  const stale = await errorOf(admin.restoreProduct({ productId: id, revision }));
  expect(problemOf(stale)?.code).toBe("PRODUCT_CHANGED");
  await admin.restoreProduct({ productId: id, revision: revision + 1n });
  expect((await client.listProducts({ query: id })).products).toHaveLength(1);
});

describe("search", () => {
  const namesOf = async (query: string, category = "") =>
    (await inventory.client.listProducts({ query, category })).products.map(({ name }) => name);

  it.each([
    ["moka", ["Copper Moka Pot"]],
    ["MOK cop", ["Copper Moka Pot"]],
    ["copper-moka-pot", ["Copper Moka Pot"]],
    ["jalapeño", []],
    ["'); drop table product; --", []],
    ["' & | ! :* <->", []],
    ["hazelnut espresso", ["Espresso Beans"]],
  ])("%s finds %j", async (query, names) => {
    expect(await namesOf(query)).toEqual(names);
  });

  it("does not need accents or case, and goes page by page through a category", async () => {
    await addTeapot();
    expect(await namesOf("THEIERE ete", "Tea")).toContain("Théière « Été »");
    const coffee = await namesOf("", "Coffee");
    const first = await inventory.client.listProducts({ category: "Coffee", pageSize: 4 });
    const pageToken = first.nextPageToken;
    const second = await inventory.client.listProducts({
      category: "Coffee",
      pageSize: 4,
      pageToken,
    });
    expect([...first.products, ...second.products].map(({ name }) => name)).toEqual(coffee);
    expect(coffee).toHaveLength(6);
  });
});

it("lists the categories in their order, once each", async () => {
  await addTeapot();
  const { categories } = await inventory.client.listCategories({});
  expect(categories).toEqual(["Coffee", "Desk", "Home", "Kitchen", "Outdoor", "Tea"]);
});

it("returns the products of a basket, and leaves unknown ids out", async () => {
  const productIds = ["espresso-beans", "no-such-thing", "chef-knife"];
  const { products } = await inventory.client.batchGetProducts({ productIds });
  expect(products.map(({ productId }) => productId).sort()).toEqual([
    "chef-knife",
    "espresso-beans",
  ]);
});

it("lists what runs out first, page by page, each product once", async () => {
  const category = "Running out";
  const stocks = [5, 0, 5, 900, 1, 0, 5];
  for (const initialStock of stocks) {
    await inventory.admin.createProduct({ ...teapot(), category, initialStock });
  }
  const request = { category, order: CatalogueOrder.LOW_STOCK, pageSize: 3 };
  const seen: (readonly [number | undefined, string | undefined])[] = [];
  let pageToken = "";
  do {
    const page = await inventory.admin.listCatalogueProducts({ ...request, pageToken });
    seen.push(...page.products.map(({ product: p }) => [p?.available, p?.productId] as const));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen.map(([available]) => available)).toEqual([0, 0, 1, 5, 5, 5, 900]);
  expect(new Set(seen.map(([, id]) => id)).size).toBe(stocks.length);
  // A token of another order is none.
  const other = await inventory.admin.listCatalogueProducts({ category, pageSize: 3 });
  const wrong = inventory.admin.listCatalogueProducts({
    ...request,
    pageToken: other.nextPageToken,
  });
  expect(fieldsOf(await errorOf(wrong))).toEqual(["page_token"]);
});
