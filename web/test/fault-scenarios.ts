/**
 * What goes wrong around a customer, and what the page makes of it: lost answers, outages, a second tab, declined cards,
 * paths that do not exist, small screens. Functions of a page and of the base URL of a running stack, as those of
 * browser-scenarios.ts.
 */
import assert from "node:assert/strict";
import type { Page, Route } from "playwright-core";
import { assertContrast } from "./contrast.ts";
import {
  assertEnded,
  assertFits,
  assertNoCodes,
  basketUnits,
  checkOut,
  fillBasket,
  fillForm,
  orderEnded,
  orderShown,
  ordersOf,
  payButton,
  placeByRest,
  visitor,
} from "./visitor.ts";

/** The page asks again by itself after a reload in the middle of an order: one order, and no click. */
export async function reloadInMidSendingIsOneOrder(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("reload");
  const keys: (string | undefined)[] = [];
  await page.route("**/placeOrder", async (route: Route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (keys.length > 1) return route.continue();
    await route.fetch();
    await page.reload();
  });
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await checkOut(page, { name: userId });
  await orderShown(page);
  await page.unroute("**/placeOrder");
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
  assert.equal(await basketUnits(page), 0);
}

/** The shop is away for a while: the page says so, keeps retrying on every page, and shows the outcome. */
export async function outageEndsByItself(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("outage");
  let isAway = true;
  await page.route("**/placeOrder", async (route: Route) => {
    if (!isAway) return route.continue();
    await route.fulfill({
      status: 503,
      json: { code: "UPSTREAM_UNAVAILABLE" },
      headers: { "retry-after": "0" },
    });
  });
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await checkOut(page, { name: userId });
  await page.locator("[data-outcome=unsettled]").waitFor();
  assert.equal(await page.locator("#address").isDisabled(), true);
  await page.getByRole("link", { name: "Shop", exact: true }).click();
  await page.locator("[data-banner=sending]").waitFor();
  isAway = false;
  await page.locator("[data-banner=placed] a").click();
  await orderShown(page);
  assert.equal(await page.locator("[data-banner=placed]").count(), 0);
  assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
  assert.equal(await basketUnits(page), 0);
}

/** Two tabs pay for the same basket at the same time: it is one order, and both show it. */
export async function twoTabsAreOneOrder(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("tabs");
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await fillForm(page, { name: userId });
  const other = await page.context().newPage();
  try {
    await other.goto(new URL("/checkout", baseUrl).href);
    await payButton(other).waitFor();
    // At once, and not when each is ready: the second one would see the first one's order coming.
    const pay = () => document.querySelector<HTMLElement>("[data-pay]")?.click();
    await Promise.all([page.evaluate(pay), other.evaluate(pay)]);
    assert.equal(await orderShown(page), await orderShown(other));
    assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
  } finally {
    await other.close();
  }
}

/** The tab that sends an order is closed before the answer: the other one takes over, with the same key. */
export async function otherTabTakesOver(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("takeover");
  const sender = await page.context().newPage();
  const arrived = Promise.withResolvers<void>();
  await sender.route("**/placeOrder", async (route: Route) => {
    await route.fetch();
    arrived.resolve();
  });
  await fillBasket(sender, baseUrl, ["Paper Filters"]);
  await fillForm(sender, { name: userId });
  await page.goto(new URL("/checkout", baseUrl).href);
  await payButton(sender).click();
  await page.getByRole("button", { name: "Sending the order…" }).waitFor();
  await arrived.promise;
  await sender.close();
  await orderShown(page);
  assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
}

/** What is given up in one tab is not placed by another one. */
export async function givenUpIsGivenUpInEveryTab(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("giveup");
  await page.context().route("**/placeOrder", (route: Route) => route.abort("connectionreset"));
  const other = await page.context().newPage();
  try {
    await fillBasket(page, baseUrl, ["Paper Filters"]);
    await checkOut(page, { name: userId });
    await page.locator("[data-outcome=unsettled]").waitFor();
    await other.goto(new URL("/checkout", baseUrl).href);
    await other.getByRole("button", { name: "Sending the order…" }).waitFor();
    await page.getByRole("button", { name: "change this order" }).click();
    await payButton(other).waitFor();
    await page.context().unroute("**/placeOrder");
    await page.getByLabel("Address").fill("2 Main St, Springfield");
    await payButton(page).click();
    await orderShown(page);
    assert.equal((await ordersOf(page, baseUrl, userId)).length, 1);
  } finally {
    await other.close();
  }
}

/** Why nothing was charged, in the customer's words: an error is no decline, and no code of the bank is shown. */
export async function refusalsAreInWords(page: Page, baseUrl: string): Promise<void> {
  const userId = visitor("words");
  const cards = {
    tok_insufficient_funds: "Insufficient funds: not charged",
    tok_declined: "Card declined: not charged",
    tok_error: "Payment error: not charged",
  };
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  for (const [card, title] of Object.entries(cards)) {
    await checkOut(page, { name: userId, card });
    await page.getByRole("heading", { name: title }).waitFor();
    await assertNoCodes(page);
    await page.getByRole("link", { name: "Show the record of this order" }).click();
    await page.getByRole("heading", { name: title }).waitFor();
    await assertEnded(page);
    await page.goBack();
  }
  await page.getByRole("link", { name: "My orders" }).first().click();
  await page.locator(".order-row").nth(2).waitFor();
  await assertNoCodes(page);
}

/** An order that fell short is at its end too: the page promises no further news of it. */
export async function outOfStockIsTheEnd(page: Page, baseUrl: string): Promise<void> {
  const answer = await page.request.post(new URL("/placeOrder", baseUrl).href, {
    data: {
      userId: visitor("short"),
      items: [{ productId: "desk-lamp", quantity: 1_000 }],
      address: "1 Main St",
    },
  });
  const { orderId } = (await answer.json()) as { orderId: string };
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await page.getByRole("heading", { name: "Not enough in stock" }).waitFor();
  await assertEnded(page);
}

/** What the page says of a missing network goes away with it, without a click. */
export async function offlineGoesAway(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await fillForm(page, { name: "Radia" });
  await page.context().setOffline(true);
  await payButton(page).click();
  await page.locator("[data-outcome=offline]").waitFor();
  await page.context().setOffline(false);
  await page.getByText("You are offline").first().waitFor({ state: "detached" });
  assert.equal(await page.getByText("You are offline").count(), 0);
}

/** A path that is no page is 404, and the answer is a page, not JSON. */
export async function unknownPathsAreNotFound(page: Page, baseUrl: string): Promise<void> {
  for (const path of ["/nowhere", "/orders/a/b", "/checkout/now", "/orders/a/b/c"]) {
    const answer = await page.goto(new URL(path, baseUrl).href);
    assert.equal(answer?.status(), 404, path);
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
  }
}

/** No page is wider than the smallest phone. */
export async function nothingIsWiderThanThePhone(page: Page, baseUrl: string): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 });
  await fillBasket(page, baseUrl, ["Espresso Beans"]);
  await assertFits(page);
  await page.goto(new URL("/?q=no-such-thing-anywhere-at-all", baseUrl).href);
  await page.locator("[data-nothing-found]").waitFor();
  await assertFits(page);
  await page.goto(new URL("/checkout", baseUrl).href);
  await payButton(page).click();
  await page.locator(".field-error").first().waitFor();
  await assertFits(page);
  await fillForm(page, { name: `Ada${"x".repeat(60)}`, card: "tok_declined" });
  await payButton(page).click();
  await page.locator("[data-outcome=refused]").waitFor();
  await assertFits(page);
  await page.getByRole("link", { name: "Show the record of this order" }).click();
  await page.locator("[data-order-status=REJECTED]").waitFor();
  await assertFits(page);
  await page.goBack();
  await checkOut(page, { name: `Ada${"x".repeat(60)}`, card: "tok_visa" });
  await orderShown(page);
  await page.locator('[data-status="Order Confirmed"]').waitFor({ state: "attached" });
  await assertFits(page);
  await page.getByRole("link", { name: "My orders" }).first().click();
  await page.locator(".order-row").first().waitFor();
  await assertFits(page);
  await page.goto(new URL("/nowhere", baseUrl).href);
  await assertFits(page);
}

/** Every text can be read: with the pointer on it, with the focus, while busy, in light and in dark. */
export async function everyTextHasContrast(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await page.locator("[data-freshness=live]").waitFor();
  await assertContrast(page, "shop");
  await page.goto(new URL("/checkout", baseUrl).href);
  await payButton(page).click();
  await page.locator(".field-error").first().waitFor();
  await assertContrast(page, "checkout with errors");
  await page.route("**/placeOrder", (route: Route) => route.abort());
  await checkOut(page, { name: visitor("contrast"), card: "tok_declined" });
  await page.locator("[data-outcome=unsettled]").waitFor();
  await assertContrast(page, "sending");
  await page.unroute("**/placeOrder");
  await page.locator("[data-outcome=refused]").waitFor();
  await assertContrast(page, "declined");
  await page.getByRole("link", { name: "Show the record of this order" }).click();
  await page.locator("[data-order-status=REJECTED]").waitFor();
  await assertContrast(page, "rejected order");
  await page.goBack();
  await page.locator(`input[value=tok_visa]`).check();
  await payButton(page).click();
  await orderShown(page);
  await orderEnded(page);
  await assertContrast(page, "order");
  await page.getByRole("link", { name: "My orders" }).first().click();
  await page.locator(".order-row").nth(1).waitFor();
  await assertContrast(page, "orders");
}

/** The documentation can call an operation about an order at the first click: its example is an order that exists. */
export async function documentationTriesARealOrder(page: Page, baseUrl: string): Promise<void> {
  const item = { productId: "olive-oil", quantity: 1 };
  const orderId = await placeByRest(page, baseUrl, item, "u1");
  await page.goto(new URL("/docs", baseUrl).href);
  const operation = page.locator(".opblock", { hasText: "/orders/{orderId}" }).first();
  await operation.locator(".opblock-summary").click();
  await page.waitForFunction(
    (id) =>
      [...document.querySelectorAll("input")].some(
        (input) => input.placeholder === "orderId" && input.value === id,
      ),
    orderId,
  );
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/orders/${orderId}`));
  await operation.getByRole("button", { name: "Execute" }).click();
  assert.equal((await answered).status(), 200);
}
