/**
 * What a visitor does with the shop, as functions of a page and of the base URL of a running stack (the page's own
 * origin). A test that has a running stack calls them; each throws where the page does not behave. They can share
 * a stack: no two of them count on the same product's stock. Begin with a fresh one, since they buy some of it up.
 */
import assert from "node:assert/strict";
import type { Page, Route } from "playwright-core";
import { assertAccessible } from "./accessibility.ts";
import {
  basketUnits,
  checkOut,
  describedBy,
  fillBasket,
  fillForm,
  orderEnded,
  orderShown,
  ordersOf,
  payButton,
  placeByRest,
  sequencesShown,
  stepsShown,
  tabTo,
  visitor,
} from "./visitor.ts";

export type { TestPage } from "./chromium.ts";
export { launchChromium, openTestPage } from "./chromium.ts";

/** The steps of an order that goes through, as the contract names them. */
const wayThrough = [
  "Order Received",
  "Stock Reserved",
  "Payment Confirmed",
  "Order Confirmed",
  "Shipping Started",
  "Shipped",
];

/** Product → basket → checkout → order page → Shipped, contiguous, with times. Answers the order's id. */
export async function buyAndWatchUntilShipped(page: Page, baseUrl: string): Promise<string> {
  await fillBasket(page, baseUrl, ["Ceramic Mug", "Dotted Notebook"]);
  await checkOut(page, { name: "Ada" });
  const orderId = await orderShown(page);
  await orderEnded(page);
  assert.deepEqual(await stepsShown(page), wayThrough);
  assert.deepEqual(await sequencesShown(page), [1, 2, 3, 4, 5, 6]);
  const times = await page.locator(".step time").allTextContents();
  assert.ok(
    times.every((time) => /\d/.test(time)),
    `each step has its time: ${times}`,
  );
  await page.locator("[data-order-status=SHIPPED]").waitFor();
  return orderId;
}

/** Two fast clicks on the button are one order. */
export async function doubleClickIsOneOrder(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("double");
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await fillForm(page, { name: userId });
  await payButton(page).dblclick();
  await orderShown(page);
  assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
}

/** The answer gets lost on its way back; the page asks again by itself, with the same key, and it is one order. */
export async function lostAnswerIsOneOrder(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("lost");
  const keys: (string | undefined)[] = [];
  await page.route("**/placeOrder", async (route: Route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await checkOut(page, { name: userId });
  await orderShown(page);
  await page.unroute("**/placeOrder");
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
}

/** What was put into the basket is there after a reload, and in another tab at once. */
export async function basketSurvivesReload(page: Page, baseUrl: string): Promise<void> {
  const other = await page.context().newPage();
  try {
    await other.goto(baseUrl);
    await fillBasket(page, baseUrl, ["Espresso Beans", "Espresso Beans", "Olive Oil"]);
    await page.reload();
    assert.equal(await basketUnits(page), 3);
    await other.getByRole("link", { name: "Basket, 3 items" }).waitFor();
  } finally {
    await other.close();
  }
}

/** Errors are shown at their fields, those of the backend too, and the typed values are kept. */
export async function errorsStandAtTheirFields(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await page.goto(new URL("/checkout", baseUrl).href);
  await payButton(page).click();
  const name = page.getByLabel("Your name");
  assert.equal(await describedBy(page, "#userId"), "Enter your name.");
  assert.ok(await name.evaluate((field) => field === document.activeElement), "focus at the field");
  await fillForm(page, { name: "Ada" });
  // A product that left the catalogue after it came into the basket: only the backend can know.
  await page.evaluate(() => {
    localStorage.setItem("smartcart.basket", '[{"productId":"no-such-thing","quantity":1}]');
  });
  await page.reload();
  await payButton(page).click();
  await page.locator("[data-outcome=refused]").waitFor();
  assert.notEqual(await page.locator("[data-line=no-such-thing] .field-error").textContent(), "");
  assert.equal(await name.inputValue(), "Ada");
}

/** A declined card says so, charges nothing, keeps the basket, and the next card works. */
export async function declinedThenAnotherCard(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Grace", card: "tok_declined" });
  await page.getByRole("heading", { name: "Card declined: not charged" }).waitFor();
  assert.equal(await basketUnits(page), 1);
  await checkOut(page, { name: "Grace", card: "tok_visa" });
  await orderShown(page);
  await page.locator('[data-status="Order Confirmed"]').waitFor();
}

/** Another customer takes what is left before this page learns of it: it says what is left and how to go on. */
export async function outOfStockOffersWhatIsLeft(page: Page, baseUrl: string): Promise<void> {
  await page.goto(baseUrl);
  const card = page.locator("[data-product=fountain-pen]");
  const left = Number(await card.locator("[data-stock]").getAttribute("data-stock"));
  // From here on nothing is heard of the stock.
  await page.route(/InventoryService\/WatchStock/, (route: Route) => route.abort());
  await page.reload();
  await card.getByRole("button").click();
  await page.goto(new URL("/checkout", baseUrl).href);
  await page.getByLabel("Quantity of Fountain Pen").fill(String(left));
  await placeByRest(page, baseUrl, { productId: "fountain-pen", quantity: left - 1 });
  await checkOut(page, { name: "Edsger" });
  await page.getByRole("heading", { name: "Not enough in stock" }).waitFor();
  await page.getByRole("button", { name: "Take 1 instead" }).click();
  await payButton(page).click();
  await orderShown(page);
  await page.unroute(/InventoryService\/WatchStock/);
}

/** The last units go in one tab, and the other one says so without a reload. */
export async function soldOutShowsInAnotherTab(page: Page, baseUrl: string): Promise<void> {
  await page.goto(baseUrl);
  await page.locator("[data-freshness=live]").waitFor();
  const card = page.locator("[data-product=copper-moka-pot]");
  const left = Number(await card.locator("[data-stock]").getAttribute("data-stock"));
  if (left > 0) await placeByRest(page, baseUrl, { productId: "copper-moka-pot", quantity: left });
  await card.getByText("Sold out").waitFor();
  assert.equal(await card.getByRole("button").getAttribute("aria-disabled"), "true");
}

/** The outcome is not known at once: the page says that it settles by itself, and it does. */
export async function slowBankSettlesLive(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Barbara", card: "tok_timeout" });
  await orderShown(page);
  await orderEnded(page);
  assert.deepEqual(await stepsShown(page), wayThrough);
}

/** The socket dies half way and again; no step is lost or shown twice, and the page says when it is not live. */
export async function cutSocketLosesNoStep(page: Page, baseUrl: string): Promise<void> {
  const sockets: { close(): Promise<void> }[] = [];
  let refused = false;
  // A shop that ships within the cut would otherwise be seen to by the history that the page reads then.
  await page.route(/\/orders\/[^/?]+\/events/, (route) =>
    refused ? route.abort() : route.continue(),
  );
  await page.routeWebSocket(/\/ws$/, (socket) => {
    if (refused) return void socket.close();
    const hub = socket.connectToServer();
    sockets.push(socket);
    // On a busy machine the order may be shipped before the cut: of the first connection, only its first step comes through.
    let passed = 0;
    const isFirst = sockets.length === 1;
    hub.onMessage((message) => {
      passed += 1;
      if (!isFirst || passed === 1) socket.send(message);
    });
  });
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Alan" });
  await orderShown(page);
  await page.locator('[data-status="Order Received"]').waitFor();
  refused = true;
  await Promise.all(sockets.map((socket) => socket.close()));
  await page.locator("[data-liveness=interrupted]").waitFor();
  refused = false;
  await orderEnded(page);
  assert.deepEqual(await stepsShown(page), wayThrough);
}

/** A reload in the middle of an order shows its whole history again, and goes on. */
export async function reloadInMidOrder(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Katherine" });
  await orderShown(page);
  await page.reload();
  await orderEnded(page);
  assert.deepEqual(await stepsShown(page), wayThrough);
}

/** Without a network nothing is sent and nothing is lost; with it, the same order goes through. */
export async function offlineKeepsEverything(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await fillForm(page, { name: "Radia" });
  await page.context().setOffline(true);
  await page.locator("[data-banner=offline]").waitFor();
  await payButton(page).click();
  await page.locator("[data-outcome=offline]").waitFor();
  await page.context().setOffline(false);
  await page.locator("[data-banner=offline]").waitFor({ state: "detached" });
  await payButton(page).click();
  await orderShown(page);
}

/** Buys with the keyboard alone, from the first Tab on. */
export async function buyWithKeyboardOnly(page: Page, baseUrl: string): Promise<void> {
  await page.goto(baseUrl);
  await page.locator("[data-freshness=live]").waitFor();
  await tabTo(page, "Add Espresso Beans to the basket");
  await page.keyboard.press("Enter");
  await tabTo(page, "Check out");
  await page.keyboard.press("Enter");
  await tabTo(page, "Your name");
  await page.keyboard.type("Margaret");
  await page.keyboard.press("Tab");
  await page.keyboard.type("1 Main St");
  await tabTo(page, "Pay $14.50");
  await page.keyboard.press("Enter");
  await orderShown(page);
}

/** The search finds by every word, stays over a reload, and says when there is nothing. */
export async function searchFindsAndStays(page: Page, baseUrl: string): Promise<void> {
  await page.goto(baseUrl);
  const products = page.locator("[data-product]");
  await products.first().waitFor();
  await page.getByLabel("Search the shop").fill("kitchen glaze");
  await page.getByText("1 product", { exact: true }).first().waitFor();
  assert.equal(await products.getAttribute("data-product"), "ceramic-mug");
  await page.reload();
  await page.locator("[data-product=ceramic-mug]").waitFor();
  assert.equal(await products.count(), 1);
  await page.getByLabel("Search the shop").fill("no such thing");
  await page.locator("[data-nothing-found]").waitFor();
  await page.getByRole("button", { name: "Show everything" }).click();
  await page.locator("[data-product=camp-mug]").waitFor();
  assert.equal(new URL(page.url()).search, "");
}

/** An order that is being shipped cannot be cancelled any more, and the page says so and goes on. */
export async function tooLateToCancel(page: Page, baseUrl: string): Promise<void> {
  const placed = await placeByRest(page, baseUrl, { productId: "ceramic-mug", quantity: 1 });
  // The page hears of the order as it was before; only the shop knows that it is too late.
  await page.route(`**/orders/${placed}`, async (route: Route) => {
    if (route.request().resourceType() === "document") return route.continue();
    const answer = await route.fetch();
    await route.fulfill({
      response: answer,
      json: { ...(await answer.json()), status: "CONFIRMED" },
    });
  });
  await page.goto(new URL(`/orders/${placed}`, baseUrl).href);
  await orderEnded(page);
  await page.getByRole("button", { name: "Cancel this order…" }).click();
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.locator("[data-cancellation=too-late]").waitFor();
  // The page may just be asking once more; its answer is waited for before the browser goes.
  await page.unrouteAll({ behavior: "wait" });
}

/** axe finds nothing on the shop, a product, the checkout with its errors, an order and the list of orders. */
export async function nothingSeriousForAxe(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await page.locator("[data-freshness=live]").waitFor();
  await assertAccessible(page, "shop", true);
  await page.getByRole("link", { name: "Ceramic Mug" }).first().click();
  await page.getByRole("heading", { name: "Ceramic Mug", level: 1 }).waitFor();
  await assertAccessible(page, "product", true);
  await page.getByRole("link", { name: /^Basket, / }).click();
  await payButton(page).click();
  await page.locator(".field-error").first().waitFor();
  await assertAccessible(page, "checkout", true);
  await checkOut(page, { name: visitor("axe") });
  await orderShown(page);
  await orderEnded(page);
  await assertAccessible(page, "order", true);
  await page.getByRole("link", { name: "My orders" }).first().click();
  await page.locator(".order-row").first().waitFor();
  await assertAccessible(page, "orders", true);
}

/** A link to an order works for every visitor, and "My orders" leads to it; one that does not exist says so. */
export async function ordersAreLinkable(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("link");
  const placed = await placeByRest(
    page,
    baseUrl,
    { productId: "ceramic-mug", quantity: 1 },
    userId,
  );
  await page.goto(new URL(`/orders/${placed}`, baseUrl).href);
  assert.equal(await orderShown(page), placed);
  await page.getByRole("link", { name: "My orders" }).first().click();
  await page.getByLabel("Your name").fill(userId);
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.locator(`[data-order="${placed}"] a`).click();
  assert.equal(await orderShown(page), placed);
  // Back and forward show pages, never the JSON that has the same address.
  await page.goBack();
  await page.getByRole("heading", { name: "My orders" }).waitFor();
  await page.goto(new URL("/orders/ORD-00000000000000000000000000", baseUrl).href);
  await page.getByRole("heading", { name: "Order not found" }).waitFor();
}
