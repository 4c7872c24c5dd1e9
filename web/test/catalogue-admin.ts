/** Calls of an operator, by which scenarios prepare the catalogue. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";

const admin = "/smartcart.inventory.v1.CatalogueAdminService/";

/** Adds a product of 10 dollars. */
export async function createProduct(
  page: Page,
  baseUrl: string,
  o: {
    readonly productId: string;
    readonly pictureUrl?: string;
    readonly initialStock?: number;
  },
): Promise<void> {
  const { status, body } = await adminCall(page, baseUrl, "CreateProduct", {
    name: `Product ${o.productId}`,
    description: "For a test.",
    category: "Zz",
    price: { currencyCode: "USD", minorUnits: "1000" },
    initialStock: 100,
    ...o,
  });
  assert.equal(status, 200, JSON.stringify(body));
}

export async function adminCall(page: Page, baseUrl: string, method: string, data: object) {
  const answer = await page.request.post(new URL(admin + method, baseUrl).href, { data });
  return { status: answer.status(), body: (await answer.json()) as object };
}
