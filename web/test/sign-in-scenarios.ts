/** What a customer does at a shop whose calls need a token. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { assertAccessible } from "./accessibility.ts";
import { buyAndWatchUntilShipped } from "./browser-scenarios.ts";
import {
  assertFits,
  checkOut,
  fillBasket,
  openConsole,
  orderEnded,
  orderShown,
  payButton,
  visitor,
} from "./visitor.ts";

const sizes = [
  { width: 320, height: 640 },
  { width: 1280, height: 900 },
];

/** Looks at the page as it stands on a phone and on a computer, in light and in dark; `SCREENSHOTS` is a folder to keep the pictures in. */
async function assertGoodLooks(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  for (const viewport of sizes) {
    await page.setViewportSize(viewport);
    await assertFits(page);
    for (const colorScheme of folder ? (["light", "dark"] as const) : []) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}/${name}-${viewport.width}-${colorScheme}.png` });
    }
  }
  await assertAccessible(page, name);
}

const account = (page: Page) => page.locator(".account-name");

/** Another's order at its own URL: as if it did not exist. */
async function assertNotFound(page: Page, baseUrl: string, orderId: string): Promise<void> {
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await page.getByRole("heading", { name: "Order not found" }).waitFor();
}

async function ordersListed(page: Page): Promise<(string | null)[]> {
  await page.getByRole("link", { name: "My orders" }).first().click();
  const rows = page.locator("[data-order]");
  await rows.first().waitFor();
  return rows.evaluateAll((all) => all.map((row) => row.getAttribute("data-order")));
}

/** By name, in development: buys, watches, and sees no other customer's orders, nor do others see this one. */
export async function nameIsASignIn(page: Page, baseUrl: string): Promise<void> {
  const others = visitor("Grace");
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await checkOut(page, { name: others });
  const foreign = await orderShown(page);
  const own = await buyAndWatchUntilShipped(page, baseUrl);
  assert.equal(await account(page).textContent(), "Ada");
  assert.deepEqual(await ordersListed(page), [own]);
  await assertNotFound(page, baseUrl, foreign);
  await page.goto(new URL("/orders", baseUrl).href);
  await page.getByLabel("Your name").fill(others);
  await page.getByRole("button", { name: "Show" }).click();
  await page.locator(`[data-order="${foreign}"]`).waitFor();
  assert.equal(await account(page).textContent(), others);
  await assertNotFound(page, baseUrl, own);
}

/** A token that the server takes no more is replaced, and the customer notices nothing. */
export async function refusedTokenIsReplaced(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Paper Filters"]);
  await checkOut(page, { name: visitor("Edsger") });
  const orderId = await orderShown(page);
  await orderEnded(page);
  await page.evaluate(() => {
    const key = "smartcart.token";
    const held = JSON.parse(localStorage.getItem(key) ?? "");
    localStorage.setItem(key, JSON.stringify({ ...held, token: `${held.token}x` }));
  });
  await page.reload();
  await page.locator("[data-order-status=SHIPPED]").waitFor();
  await orderEnded(page);
  assert.equal(await page.locator("[data-refusal]").count(), 0);
  assert.deepEqual(await ordersListed(page), [orderId]);
}

/** The hub closes the connection of a token that has expired: the page gets another one, and goes on where it was. */
export async function expiredConnectionIsRenewed(page: Page, baseUrl: string): Promise<void> {
  const offered: string[][] = [];
  let issued = 0;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/auth/token") issued += 1;
  });
  // An order that the history shows complete is not followed any more: the history waits for the second connection.
  const renewed = Promise.withResolvers<void>();
  await page.route("**/orders/*/events*", async (route) => {
    await renewed.promise;
    await route.continue();
  });
  await page.routeWebSocket("**/ws", (socket) => {
    offered.push(socket.protocols());
    if (offered.length === 1) return void socket.close({ code: 4401 });
    socket.connectToServer();
    renewed.resolve();
  });
  await buyAndWatchUntilShipped(page, baseUrl);
  assert.equal(offered.length, 2);
  for (const [subprotocol, bearer] of offered) {
    assert.equal(subprotocol, "smartcart");
    assert.match(bearer ?? "", /^smartcart\.bearer\.eyJ/);
  }
  assert.equal(issued, 2);
}

/** A link to an order, opened without a sign-in. */
export async function orderAsksWhoIsThere(page: Page, baseUrl: string): Promise<void> {
  await page.goto(new URL("/orders/ORD-1", baseUrl).href);
  await page.getByText("Only the customer who placed the order can see it.").waitFor();
  await page.locator("[data-refusal=needed]").waitFor();
  await assertGoodLooks(page, "sign-in-needed");
}

/** At a provider's login form: from the basket, back to the checkout, buy, watch, sign out. Answers the order's id. */
export async function signInAtProvider(
  page: Page,
  baseUrl: string,
  login: string,
): Promise<string> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await page.getByRole("link", { name: /^Basket, / }).click();
  await assertGoodLooks(page, "signed-out");
  await page.locator("form").getByRole("button", { name: "Sign in" }).click();
  await logIn(page, login);
  await page.waitForURL(new URL("/checkout", baseUrl).href);
  await page.getByText(`Signed in as ${login}`).waitFor();
  await assertGoodLooks(page, "signed-in");
  await page.getByLabel("Address").fill("1 Main St, Springfield");
  await payButton(page).click();
  const orderId = await orderShown(page);
  await orderEnded(page);
  await page.locator("[data-order-status=SHIPPED]").waitFor();
  assert.deepEqual(await ordersListed(page), [orderId]);
  return orderId;
}

/** Signs out, here and at the provider: nothing of the customer is left in this browser. */
export async function signOutAtProvider(page: Page, baseUrl: string): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await page.waitForURL(new URL("/", baseUrl).href);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.doesNotMatch(kept, /Main St|eyJ/);
}

/** The provider's own pages, once for each sign-in. */
async function logIn(page: Page, login: string): Promise<void> {
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

/** Another customer signs in: the order of the first one is not shown. */
export async function otherCustomerSeesNothing(
  page: Page,
  baseUrl: string,
  orderId: string,
): Promise<void> {
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await page.locator("main").getByRole("button", { name: "Sign in" }).click();
  await logIn(page, "grace");
  await page.getByRole("heading", { name: "Order not found" }).waitFor();
}

/** A callback without a sign-in under way, as another site could send the browser to: it does not sign in. */
export async function forgedCallbackSignsNobodyIn(page: Page, baseUrl: string): Promise<void> {
  await page.goto(new URL("/auth/callback?code=stolen&state=made-up", baseUrl).href);
  await page.getByRole("heading", { name: "Sign-in failed" }).waitFor();
  await assertGoodLooks(page, "sign-in-failed");
  assert.equal(await page.evaluate(() => localStorage.getItem("smartcart.token")), null);
}

/** A token that expires says so, and leads back to the provider. */
export async function expiredSignInSaysSo(page: Page): Promise<void> {
  await page.evaluate(() => {
    const key = "smartcart.token";
    const held = JSON.parse(localStorage.getItem(key) ?? "");
    localStorage.setItem(key, JSON.stringify({ ...held, token: `${held.token}x` }));
  });
  await page.reload();
  await page.locator("[data-refusal=expired]").waitFor();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await page.locator(".order-row").first().waitFor();
}

/** A shop that is open to the network without authentication says so on every page. */
export async function openShopWarns(page: Page, baseUrl: string): Promise<void> {
  for (const path of ["/", "/checkout", "/orders", "/orders/ORD-1", "/ops", "/no-such-page"]) {
    await page.goto(new URL(path, baseUrl).href);
    await page.locator("[data-banner=open]").waitFor();
  }
  await page.goto(baseUrl);
  await page.locator("[data-banner=open]").waitFor();
  await assertGoodLooks(page, "open");
}

/** A signed-in operator needs no `OPS_TOKEN`; a signed-in customer is asked for it. */
export async function operatorOpensTheConsole(
  page: Page,
  baseUrl: string,
  tokens: { readonly customer: string; readonly operator: string },
): Promise<void> {
  await holdToken(page, baseUrl, { token: tokens.customer, isOperator: false });
  await page.goto(new URL("/ops", baseUrl).href);
  await page.getByRole("textbox", { name: "Token" }).waitFor();
  await assertGoodLooks(page, "console-token");
  await holdToken(page, baseUrl, { token: tokens.operator, isOperator: true });
  await openConsole(page, baseUrl);
  assert.equal(await page.getByRole("textbox", { name: "Token" }).count(), 0);
}

/** Stores a token as a sign-in does. */
async function holdToken(
  page: Page,
  baseUrl: string,
  held: { readonly token: string; readonly isOperator: boolean },
): Promise<void> {
  await page.goto(baseUrl);
  await page.evaluate(
    (text) => localStorage.setItem("smartcart.token", text),
    JSON.stringify({ ...held, subject: "olga", name: "Olga", expiresAtMs: Date.now() + 600_000 }),
  );
}

/** Tokens are required, and the page has no way to get one: it says so rather than ask for a name again and again. */
export async function shopWithoutSignInSaysSo(page: Page, baseUrl: string): Promise<void> {
  await page.goto(new URL("/orders", baseUrl).href);
  await page.getByLabel("Your name").fill("Ada");
  await page.getByRole("button", { name: "Show" }).click();
  await page.locator("[data-refusal=impossible]").waitFor();
  await assertGoodLooks(page, "no-sign-in");
}
