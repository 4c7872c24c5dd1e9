/** Files of goods: staged line by line, applied as a whole, and the same file twice changes nothing. */
import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ImportRowSchema } from "@smartcart/gen/inventory/v1/catalogue_import_pb";
import { problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import { pruneImports } from "../src/store/catalogue-imports.ts";
import type { TestInventory } from "./support.ts";
import { brokenStock, newId, startTestInventory } from "./support.ts";

type Row = MessageInitShape<typeof ImportRowSchema>;

let inventory: TestInventory;
let importId: string;
beforeAll(async () => {
  inventory = await startTestInventory();
});
afterAll(() => inventory[Symbol.asyncDispose]());
beforeEach(() => {
  importId = randomUUID();
});

const row = (line: number, productId: string, more: Partial<Row> = {}): Row => ({
  ...{ line, productId, name: `Goods ${productId}`, category: "Goods", description: "Good." },
  ...{ price: "14.5", currency: "USD", stock: "3" },
  ...more,
});
const newProducts = (count: number) =>
  Array.from({ length: count }, (_, index) => row(index + 2, randomUUID()));

const stage = async (rows: Row[]) => {
  const { problems } = await inventory.admin.stageImport({ importId, rows });
  return problems.map(({ line, field, message }) => `${line} ${field}: ${message}`);
};
const commit = async (rows: number, options: { dryRun?: boolean; keepGoing?: boolean } = {}) => {
  const { summary } = await inventory.admin.commitImport({ importId, rows, ...options });
  const { created, updated, unchanged, rejected } = summary ?? {};
  return { created, updated, unchanged, rejected };
};
const codeOf = async (call: Promise<unknown>) => problemOf(await errorOf(call))?.code;
const read = async (productId = "") =>
  (await inventory.admin.getCatalogueProduct({ productId })).product;

describe("an import", () => {
  it("changes nothing until it is committed, then everything; and again: nothing", async () => {
    const rows = newProducts(5);
    expect(await stage(rows.slice(0, 3))).toEqual([]);
    expect(await stage(rows.slice(2))).toEqual([]);
    expect(await commit(5, { dryRun: true })).toMatchObject({ created: 5, updated: 0 });
    expect(await codeOf(read(rows[0]?.productId) as Promise<unknown>)).toBe("PRODUCT_NOT_FOUND");
    expect(await commit(5)).toEqual({ created: 5, updated: 0, unchanged: 0, rejected: 0 });
    expect(await commit(5)).toEqual({ created: 5, updated: 0, unchanged: 0, rejected: 0 });
    expect((await read(rows[4]?.productId))?.product).toMatchObject({
      ...{ name: rows[4]?.name, price: { currencyCode: "USD", minorUnits: 1_450n }, available: 3 },
    });
    expect(await codeOf(stage(rows))).toBe("IMPORT_EXISTS");
    importId = randomUUID();
    await stage(rows);
    expect(await commit(5)).toEqual({ created: 0, updated: 0, unchanged: 5, rejected: 0 });
    expect(await brokenStock(inventory.sql)).toEqual([]);
  });

  it("shows what it would change, page by page, and nothing that stays", async () => {
    const [old, same] = newProducts(2) as [Row, Row];
    await stage([old, same]);
    await commit(2);
    importId = randomUUID();
    const fresh = row(4, randomUUID(), { emoji: "", stock: "" });
    const edited = { line: 2, productId: old.productId ?? "", price: "1500", currency: "JPY" };
    await stage([edited, { ...same, line: 3 }, fresh]);
    const list = (afterLine: number, pageSize: number) =>
      inventory.admin.listImportChanges({ importId, afterLine, pageSize });
    const first = await list(0, 1);
    expect(first).toMatchObject({
      lastLine: 2,
      changes: [
        {
          ...{ line: 2, productId: old.productId, isNew: false },
          cells: [
            { field: "price", before: "14.50", after: "1500" },
            { field: "currency", before: "USD", after: "JPY" },
          ],
        },
      ],
    });
    const second = await list(first.lastLine, 1);
    expect(second).toMatchObject({ lastLine: 0, changes: [{ line: 4, isNew: true }] });
    const cells = second.changes[0]?.cells.map(({ field, after }) => [field, after]);
    expect(Object.fromEntries(cells ?? [])).toEqual({
      ...{ name: fresh.name, description: "Good.", category: "Goods" },
      ...{ price: "14.50", currency: "USD", stock: "0" },
    });
    expect(await commit(3)).toEqual({ created: 1, updated: 1, unchanged: 1, rejected: 0 });
    expect(await codeOf(list(0, 1))).toBe("IMPORT_NOT_FOUND");
  });

  it("changes only the columns of the file, and never the stock of a product that exists", async () => {
    const rows = newProducts(3);
    const [first, second] = rows.map(({ productId = "" }) => productId) as [string, string];
    await stage(rows);
    await commit(3);
    const lines = [{ productId: first, quantity: 2 }];
    await inventory.client.reserve({ reservationId: newId(), lines });
    importId = randomUUID();
    const prices = [
      { line: 2, productId: first, price: "20", currency: "EUR", stock: "3" },
      { line: 3, productId: second, price: "14.50", currency: "USD", archived: "" },
      { line: 4, productId: rows[2]?.productId ?? "", archived: "TRUE" },
    ];
    expect(await stage(prices)).toEqual([]);
    expect(await commit(3, { dryRun: true })).toMatchObject({ updated: 2, unchanged: 1 });
    expect(await commit(3)).toEqual({ created: 0, updated: 2, unchanged: 1, rejected: 0 });
    expect(await read(first)).toMatchObject({
      revision: 2n,
      product: {
        description: "Good.",
        price: { currencyCode: "EUR", minorUnits: 2_000n },
        available: 1,
      },
    });
    expect(await read(rows[2]?.productId)).toMatchObject({ product: { archived: true } });
  });

  it("names every cell that it cannot take, and then takes none of the file, or the good lines", async () => {
    const [good, twice] = newProducts(2) as [Row, Row];
    const rows: Row[] = [
      good,
      row(3, ""),
      row(4, "x".repeat(65), { name: "" }),
      row(5, "a", { price: "14,50" }),
      row(6, "b", { price: "14.505", currency: "usd" }),
      row(7, "c", { price: "1.5", currency: "JPY", stock: "-1" }),
      row(8, "d", { currency: undefined, archived: "yes" }),
      row(9, "e", { emoji: "abc", pictureUrl: "file:///etc/passwd" }),
      { line: 10, productId: "f" },
      row(11, "g", { name: "a\0b", description: "d".repeat(2_001) }),
      { ...twice, line: 12 },
      { ...twice, line: 13 },
    ];
    expect(await stage(rows.slice(0, 6))).toEqual([
      "3 product_id: must be at least 1 character",
      "4 product_id: must be at most 64 characters",
      "4 name: must be at least 1 characters",
      '5 price: "14,50" is not an amount such as 14.50: digits, a point, digits',
      '6 currency: "usd" is not a currency code of ISO 4217, such as USD',
      '7 price: "1.5" has too many decimal places: JPY has 0',
      '7 stock: "-1" is not a whole number from 0 to 1000000000',
    ]);
    expect(await stage(rows.slice(6, 11))).toEqual([
      "8 currency: is required together with the price, such as USD",
      '8 archived: "yes" is neither true nor false',
      "9 emoji: must be a single emoji, or empty",
      '9 picture_url: must be an HTTPS URL of at most 2,000 characters, a path such as "/pictures/mug.png", or empty',
      "10 name: is required for a new product",
      "10 category: is required for a new product",
      "10 price: is required for a new product",
      "11 name: must not contain the character U+0000",
      "11 description: must be at most 2000 characters",
    ]);
    expect(await stage(rows.slice(11))).toEqual(["13 product_id: is on line 12 as well"]);
    expect(await codeOf(commit(12))).toBe("IMPORT_HAS_PROBLEMS");
    expect(await codeOf(commit(13, { keepGoing: true }))).toBe("IMPORT_INCOMPLETE");
    expect(await codeOf(read(good.productId) as Promise<unknown>)).toBe("PRODUCT_NOT_FOUND");
    const summary = { created: 2, updated: 0, unchanged: 0, rejected: 10 };
    expect(await commit(12, { keepGoing: true, dryRun: true })).toEqual(summary);
    expect(await commit(12, { keepGoing: true })).toEqual(summary);
  });

  it("is forgotten an hour after its last call", async () => {
    await stage(newProducts(2));
    expect(await pruneImports(inventory.sql, 3_600_000)).toBe(0);
    await inventory.sql.query({
      text: "update catalogue_import set touched_at = now() - interval '61 minutes' where import_id = $1",
      values: [importId],
    });
    expect(await pruneImports(inventory.sql, 3_600_000)).toBe(1);
    const { rows } = await inventory.sql.query({
      text: "select * from catalogue_import_row where import_id = $1",
      values: [importId],
    });
    expect(rows).toEqual([]);
    expect(await codeOf(commit(2))).toBe("IMPORT_NOT_FOUND");
  });

  it("two files with the same products at once are one after the other", async () => {
    const rows = newProducts(40);
    const ids = [randomUUID(), randomUUID()];
    await Promise.all(ids.map((id) => inventory.admin.stageImport({ importId: id, rows })));
    const answers = await Promise.all(
      ids.map((id) => inventory.admin.commitImport({ importId: id, rows: 40 })),
    );
    const created = answers.map(({ summary }) => summary?.created ?? 0);
    expect(created.toSorted((a, b) => a - b)).toEqual([0, 40]);
    expect(answers.map(({ summary }) => summary?.unchanged)).toEqual(created.map((n) => 40 - n));
  });
});
