/** The stock ledger: what operators add and take away, once for each id, and kept for its retention. */
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StockAdjustmentReason as Reason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";
import { problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import { pruneAdjustments } from "../src/store/stock-adjustments.ts";
import type { TestInventory } from "./support.ts";
import { brokenStock, newId, startTestInventory } from "./support.ts";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory();
});
afterAll(() => inventory[Symbol.asyncDispose]());

const adjust = (productId: string, delta: number, reason: Reason, adjustmentId = newId()) =>
  inventory.admin.adjustStock({ adjustmentId, productId, delta, reason, note: "a note" });

describe("AdjustStock", () => {
  it("adds and takes away, and lists both, newest first", async () => {
    const productId = await inventory.addProduct(3);
    await adjust(productId, 10, Reason.RECEIVED);
    const { adjustment } = await adjust(productId, -4, Reason.WRITTEN_OFF);
    expect(adjustment).toMatchObject({ productId, delta: -4, availableAfter: 9, note: "a note" });
    const { adjustments } = await inventory.admin.listStockAdjustments({ productId });
    expect(adjustments.map(({ delta, reason }) => [delta, reason])).toEqual([
      [-4, Reason.WRITTEN_OFF],
      [10, Reason.RECEIVED],
    ]);
    const first = await inventory.admin.listStockAdjustments({ productId, pageSize: 1 });
    const pageToken = first.nextPageToken;
    const second = await inventory.admin.listStockAdjustments({
      productId,
      pageSize: 1,
      pageToken,
    });
    expect([...first.adjustments, ...second.adjustments]).toEqual(adjustments);
    expect(second.nextPageToken).toBe("");
  });

  it("counts once, however often and from wherever it is sent", async () => {
    const productId = await inventory.addProduct(0);
    const id = newId();
    const sent = Array.from({ length: 8 }, () => adjust(productId, 5, Reason.RETURNED, id));
    const answers = await Promise.all(sent);
    expect(new Set(answers.map(({ adjustment }) => adjustment?.availableAfter))).toEqual(
      new Set([5]),
    );
    expect(await inventory.client.checkStock({ productId, quantity: 5 })).toMatchObject({
      available: 5,
    });
    const other = await errorOf(adjust(productId, 6, Reason.RETURNED, id));
    expect(problemOf(other)?.code).toBe("ADJUSTMENT_EXISTS");
  });

  it("one id for two products at once is one of them", async () => {
    const products = await Promise.all([inventory.addProduct(0), inventory.addProduct(0)]);
    const id = newId();
    const results = await Promise.allSettled(
      products.map((productId) => adjust(productId, 1, Reason.RECEIVED, id)),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const refused = results.find((result) => result.status === "rejected")?.reason;
    expect(problemOf(refused)?.code).toBe("ADJUSTMENT_EXISTS");
  });

  it("takes no more away than is available, and nothing that is reserved", async () => {
    const productId = await inventory.addProduct(5);
    await inventory.client.reserve({ reservationId: newId(), lines: [{ productId, quantity: 3 }] });
    const error = await errorOf(adjust(productId, -3, Reason.CORRECTED));
    expect(problemOf(error)?.code).toBe("STOCK_TOO_LOW");
    expect((error as Error).message).toContain("2 units available");
    await adjust(productId, -2, Reason.CORRECTED);
    expect(await brokenStock(inventory.sql)).toEqual([]);
  });

  it.each([
    [1, Reason.WRITTEN_OFF],
    [-1, Reason.RECEIVED],
    [-1, Reason.RETURNED],
    [0, Reason.CORRECTED],
    [1, Reason.UNSPECIFIED],
    [1_000_001, Reason.RECEIVED],
  ])("refuses %i with reason %i", async (delta, reason) => {
    const error = await errorOf(adjust("espresso-beans", delta, reason));
    expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
  });

  it("answers NOT_FOUND for a product that does not exist", async () => {
    const error = await errorOf(adjust("no-such-thing", 1, Reason.RECEIVED));
    expect(problemOf(error)?.code).toBe("PRODUCT_NOT_FOUND");
  });
});

it("a customer who waits for stock gets it when it is restocked, and sees it come", async () => {
  const productId = await inventory.addProduct(0);
  const reserve = async () => {
    const lines = [{ productId, quantity: 2 }];
    return (await inventory.client.reserve({ reservationId: newId(), lines })).outcome.case;
  };
  expect(await reserve()).toBe("shortage");
  const seen: unknown[] = [];
  for await (const { products } of inventory.client.watchStock({ productIds: [productId] })) {
    seen.push(...products.map(({ available }) => available));
    if (seen.length === 2) break;
    await adjust(productId, 2, Reason.RECEIVED);
  }
  expect(seen).toEqual([0, 2]);
  expect(await reserve()).toBe("reservation");
});

it("the end of an entry's retention changes no stock", async () => {
  const productId = await inventory.addProduct(1);
  for (const delta of [5, -2, 7]) await adjust(productId, delta, Reason.CORRECTED);
  const old = `update stock_adjustment set adjusted_at = now() - interval '10 days'
    where product_id = $1 and delta <> 7`;
  await inventory.sql.query({ text: old, values: [productId] });
  await inventory.sql.query({
    text: "delete from stock_adjustment where product_id <> $1",
    values: [productId],
  });
  await inventory.sql.query({
    text: "update stock set initial = initial + adjusted, adjusted = 0 where product_id <> $1",
    values: [productId],
  });
  expect(await pruneAdjustments(inventory.sql, 9, 1)).toBe(1);
  expect(await pruneAdjustments(inventory.sql, 9, 500)).toBe(1);
  expect(await pruneAdjustments(inventory.sql, 9, 500)).toBe(0);
  expect(await brokenStock(inventory.sql)).toEqual([]);
  const { rows } = await inventory.sql.query({
    text: "select initial::int, adjusted::int, available from stock where product_id = $1",
    values: [productId],
  });
  expect(rows).toEqual([{ initial: 4, adjusted: 7, available: 11 }]);
});
