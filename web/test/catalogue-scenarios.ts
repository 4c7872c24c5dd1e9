/**
 * A catalogue that is larger than a page, and one that changes under a customer's hands. Functions of a page and of the base URL of a
 * running stack whose operators need no token. What they add to the catalogue comes after what a new shop has.
 */
import assert from "node:assert/strict";
import type { Page, Route } from "playwright-core";
import { adminCall, createProduct } from "./catalogue-admin.ts";
import { assertStill, watchLayoutShift } from "./layout-shift.ts";
import { fillForm, orderEnded, orderShown, payButton, placeByRest, visitor } from "./visitor.ts";

/** Products of the shop's first page. */
const pageSize = 48;

/** The shop lists page by page, finds what is on none of them, and keeps what it lists in the URL. */
export async function largeCatalogueIsPaged(page: Page, baseUrl: string): Promise<void> {
  const category = visitor("Zinc");
  await importProducts(page, baseUrl, category);
  await page.goto(baseUrl);
  const products = page.locator("[data-product]");
  await products.first().waitFor();
  assert.equal(await products.count(), pageSize);
  await page.getByLabel("Category").selectOption(category);
  await page.locator(`[data-product^="${category}"]`).first().waitFor();
  await page.getByRole("button", { name: "Show more products" }).click();
  await products.nth(pageSize).waitFor();
  assert.equal(await products.count(), 90);
  assert.equal(await page.locator("[data-more-products]").count(), 0);
  await page.getByLabel("Search the shop").fill(`${category}-89`);
  await page.getByText("1 product", { exact: true }).first().waitFor();
  await page.reload();
  await page.locator(`[data-product="${category}-89"]`).waitFor();
  assert.equal(await products.count(), 1);
  await page.getByRole("link", { name: `Zinc 89 of ${category}` }).click();
  await page.getByRole("heading", { name: `Zinc 89 of ${category}` }).waitFor();
  await page.goBack();
  await page.locator(`[data-product="${category}-89"]`).waitFor();
  assert.equal(await page.getByLabel("Category").inputValue(), category);
}

/** A product has a page of its own: a URL that can be shared, with its title, description, live stock and what buys it. */
export async function productHasAPage(page: Page, baseUrl: string): Promise<void> {
  const answer = await page.goto(new URL("/products/olive-oil", baseUrl).href);
  assert.equal(answer?.status(), 200);
  await page.getByRole("heading", { name: "Olive Oil", level: 1 }).waitFor();
  assert.equal(await page.title(), "Olive Oil · SmartCart");
  const about = await page.locator(".about").textContent();
  assert.equal(await page.locator("meta[name=description]").getAttribute("content"), about);
  await page.getByRole("button", { name: "Add Olive Oil to the basket" }).click();
  const stepper = page.getByRole("group", { name: "Olive Oil in the basket" });
  await stepper.getByRole("button", { name: "Add one more Olive Oil" }).click();
  await page.getByRole("link", { name: "Basket, 2 items" }).waitFor();
  await stepper.getByRole("button", { name: "Remove one Olive Oil" }).dblclick();
  await page.getByRole("button", { name: "Add Olive Oil to the basket" }).waitFor();
  const none = await page.goto(new URL("/products/no-such-thing", baseUrl).href);
  assert.equal(none?.status(), 404);
  await page.getByRole("heading", { name: "Product not found" }).waitFor();
}

/** What a page shows first stays where it is while the rest comes, on a computer and on a phone. */
export async function pagesStandStill(page: Page, baseUrl: string): Promise<void> {
  const orderId = await placeByRest(page, baseUrl, { productId: "olive-oil", quantity: 1 });
  await watchLayoutShift(page);
  await page.goto(baseUrl);
  await page.evaluate(() => {
    localStorage.setItem("smartcart.basket", '[{"productId":"olive-oil","quantity":2}]');
  });
  const pages = {
    "/": "[data-freshness=live]",
    "/?q=mug": "[data-freshness=live]",
    "/products/olive-oil": ".about",
    "/checkout": "[data-line] .line-price",
    [`/orders/${orderId}`]: "[data-tracking]",
    "/orders": "h1",
    "/nowhere": "h1",
  };
  for (const viewport of [
    { width: 1280, height: 900 },
    { width: 360, height: 740 },
  ]) {
    await page.setViewportSize(viewport);
    for (const [path, content] of Object.entries(pages)) {
      await page.goto(new URL(path, baseUrl).href);
      await page.locator(content).first().waitFor({ timeout: 60_000 });
      await assertStill(page, `${path} at ${viewport.width} px`);
    }
  }
}

/** On the narrowest phone, an order that is shipped while its page is open moves nothing on it. */
export async function orderStandsStillWhileItShips(page: Page, baseUrl: string): Promise<void> {
  await page.setViewportSize({ width: 320, height: 740 });
  await watchLayoutShift(page);
  await holdShipments(page, baseUrl, true);
  const orderId = await placeByRest(page, baseUrl, { productId: "olive-oil", quantity: 1 });
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await page.locator("[data-order-status=CONFIRMED]").waitFor();
  await page.locator('[data-status="Order Confirmed"]').waitFor();
  await holdShipments(page, baseUrl, false);
  await page.locator("[data-tracking]").waitFor({ timeout: 60_000 });
  await orderEnded(page);
  await assertStill(page, "an order that is shipped");
}

async function holdShipments(page: Page, baseUrl: string, isHeld: boolean): Promise<void> {
  const url = new URL("/smartcart.ops.v1.OpsService/SetFaultSwitch", baseUrl).href;
  const data = { service: "shipping", name: "stop", value: isHeld ? 1 : 0 };
  assert.equal((await page.request.post(url, { data })).status(), 200);
}

/** A picture that does not come leaves the drawn tile, and nothing of it reads as text. */
export async function brokenPictureLeavesTheTile(page: Page, baseUrl: string): Promise<void> {
  const productId = visitor("framed");
  await createProduct(page, baseUrl, {
    productId,
    pictureUrl: "https://pictures.invalid/none.png",
  });
  await page.route("https://pictures.invalid/**", (route: Route) => route.abort());
  await page.goto(new URL(`/products/${productId}`, baseUrl).href);
  const tile = page.locator(".product-page .tile");
  await tile.locator("img.absent").waitFor({ state: "attached" });
  assert.equal(await tile.locator("svg").isVisible(), true);
  assert.equal((await tile.textContent())?.trim(), "");
}

/** The price changes between basket and order: nothing is ordered, the page shows both prices and asks; then it is the new one. */
export async function changedPriceAsks(page: Page, baseUrl: string): Promise<void> {
  const productId = visitor("priced");
  await createProduct(page, baseUrl, { productId });
  // From here on nothing is heard of the new price.
  await page.route(/InventoryService\/WatchStock/, (route: Route) => route.abort());
  await page.goto(new URL(`/products/${productId}`, baseUrl).href);
  await page.getByRole("button", { name: `Add Product ${productId} to the basket` }).click();
  await fillForm(page, { name: visitor("price") });
  const changed = await adminCall(page, baseUrl, "UpdateProduct", {
    productId,
    revision: "1",
    price: { currencyCode: "USD", minorUnits: "1250" },
  });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  await page.getByRole("button", { name: "Pay $10.00" }).click();
  const notice = page.locator("[data-outcome=price-changed]");
  await notice.waitFor();
  assert.match((await notice.textContent()) ?? "", /\$10\.00\s*→\s*\$12\.50/);
  await page.getByRole("button", { name: "Pay $12.50" }).click();
  await orderShown(page);
  await orderEnded(page);
  await page.getByText("$12.50").first().waitFor();
  assert.equal(await payButton(page).count(), 0);
}

/** Two pages of products in one category. */
async function importProducts(page: Page, baseUrl: string, category: string): Promise<void> {
  const importId = crypto.randomUUID();
  const rows = Array.from({ length: 90 }, (_, index) => ({
    line: index + 1,
    productId: `${category}-${index}`,
    name: `Zinc ${String(index).padStart(2, "0")} of ${category}`,
    category,
    price: "3.00",
    currency: "USD",
    stock: "5",
  }));
  const staged = await adminCall(page, baseUrl, "StageImport", { importId, rows });
  assert.deepEqual([staged.status, staged.body], [200, {}]);
  const committed = await adminCall(page, baseUrl, "CommitImport", { importId, rows: rows.length });
  assert.equal(committed.status, 200, JSON.stringify(committed.body));
}
