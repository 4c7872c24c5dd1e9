/**
 * What an operator does at the console of a running SmartCart in demo mode, as functions of a page and of its base URL.
 * Those in `test/scripted-console-scenarios.ts` need a console whose service answers by a script.
 */
import type { Page } from "playwright-core";
import {
  checkOut,
  fillBasket,
  openConsole,
  orderShown,
  payButton,
  placeByRest,
  showAgainUntil,
  tabTo,
  visitor,
} from "./visitor.ts";

/** The services that take an order through. */
const services = ["order", "inventory", "payment", "notification", "shipping", "status-hub", "log"];

/** Longest wait for the console to see what happened, in milliseconds: it looks once a second, on a busy machine less often. */
const seenMs = 60_000;

/** Every service is on the map and ready, and every invariant is listed. */
export async function consoleShowsEveryService(page: Page, baseUrl: string): Promise<void> {
  await openConsole(page, baseUrl);
  for (const service of services) {
    await page.locator(`[data-node="${service}"][data-health=ready]`).waitFor({ timeout: seenMs });
  }
  await page.locator("[data-invariant]").first().waitFor({ timeout: seenMs });
  await page.locator('[data-node="payment"]').click();
  await page.getByText("Figures of payment").waitFor();
}

/** A switch breaks the payments, the shop says so, and the switch mends them again. */
export async function declineSwitchDeclines(page: Page, baseUrl: string): Promise<void> {
  const decline = page.locator('[data-switch="payment decline"] input');
  await openConsole(page, baseUrl, "/ops/faults");
  await decline.check();
  await page.getByText(/Decline.*: on/).waitFor({ state: "attached" });
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Grace" });
  await page.getByRole("heading", { name: "Card declined: not charged" }).waitFor();
  await openConsole(page, baseUrl, "/ops/faults");
  // A snapshot is a second old, and so may be the report in it.
  const turnedOn = page.locator('[data-switch="payment decline"] input:checked');
  await turnedOn.waitFor({ state: "attached", timeout: seenMs });
  await decline.uncheck();
  await page.getByText(/Decline.*: off/).waitFor({ state: "attached" });
  await page.getByRole("link", { name: /^Basket, / }).click();
  await payButton(page).click();
  await orderShown(page);
}

/**
 * An order's message is given up: its dead letter is read at the console, put back, and the parcel leaves after all.
 * `spoil` takes the message that waits for shipping and makes a dead letter of it.
 */
export async function deadLetterIsRedriven(
  page: Page,
  baseUrl: string,
  spoil: () => Promise<void>,
): Promise<void> {
  await openConsole(page, baseUrl, "/ops/faults");
  await turn(page, "shipping stop", true);
  await page.getByText(/: on$/).waitFor({ state: "attached" });
  const orderId = await placeByRest(page, baseUrl, { productId: "ceramic-mug", quantity: 1 });
  await spoil();
  await openConsole(page, baseUrl, "/ops/dead-letters");
  const deadLetter = page.locator(`[data-dead-letter="${orderId}:placed"]`);
  await deadLetter.waitFor({ timeout: seenMs });
  await deadLetter.getByRole("button", { name: /^Details/ }).click();
  await page.getByText('"productId": "ceramic-mug"').waitFor();
  await deadLetter.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Redrive 1" }).click();
  await page.getByText("1 message is back in the queue.").first().waitFor();
  await deadLetter.waitFor({ state: "detached", timeout: seenMs });
  await openConsole(page, baseUrl, "/ops/faults");
  await turn(page, "shipping stop", false);
  await page.getByText(/: off$/).waitFor({ state: "attached" });
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await page.locator('[data-status="Shipped"]').waitFor({ timeout: seenMs });
}

/** Turns a switch without a mouse. */
export async function switchWithKeyboardOnly(page: Page, baseUrl: string): Promise<void> {
  await openConsole(page, baseUrl, "/ops/faults");
  const hold = page
    .locator('[data-switch="shipping hold"] input, [data-switch^="shipping"] input[role=switch]')
    .first();
  await hold.waitFor();
  await tabTo(page, (await hold.locator("xpath=..").textContent())?.trim() ?? "");
  await page.keyboard.press("Space");
  await page.getByText(/: on$/).waitFor({ state: "attached" });
  await page.keyboard.press("Space");
  await page.getByText(/: off$/).waitFor({ state: "attached" });
}

/** Ten windows on the console leave the browser room for the shop: with six connections of HTTP/1.1 for all of them. */
export async function tenConsolesAndTheShopAreLive(page: Page, baseUrl: string): Promise<void> {
  const windows = [page];
  while (windows.length < 10) windows.push(await page.context().newPage());
  const shop = await page.context().newPage();
  try {
    const paths = ["/ops", "/ops/log", "/ops/faults"];
    for (const [at, one] of windows.entries()) {
      await openConsole(one, baseUrl, paths[at % paths.length]);
    }
    for (const one of windows) {
      await one.waitForFunction(() => {
        const streams = [...document.querySelectorAll("[data-stream]")];
        return streams.length > 0 && streams.every((note) => note.matches("[data-stream=live]"));
      });
    }
    await shop.goto(baseUrl);
    await shop.locator("[data-freshness=live]").waitFor();
    // Each still gets its snapshots, and the shop its answers.
    await placeByRest(shop, baseUrl, { productId: "ceramic-mug", quantity: 1 });
    for (const one of windows) await one.locator("[data-console=live]").waitFor();
  } finally {
    for (const one of [...windows.slice(1), shop]) await one.close();
  }
}

/** A switch makes a dead letter, so that the page can be learned: it is found, and redriven once the switch is off. */
export async function refuseSwitchMakesADeadLetter(page: Page, baseUrl: string): Promise<void> {
  await openConsole(page, baseUrl, "/ops/faults");
  await turn(page, "shipping refuse", true);
  await page.getByText(/Refuse.*: on/).waitFor({ state: "attached" });
  const orderId = await placeByRest(page, baseUrl, { productId: "ceramic-mug", quantity: 1 });
  await page.locator('[data-alarm="Dead letters"][data-tone=warn]').waitFor({ timeout: seenMs });
  await turn(page, "shipping refuse", false);
  await page.getByText(/Refuse.*: off/).waitFor({ state: "attached" });
  await page.locator('[data-alarm="Dead letters"]').click();
  const deadLetter = page.locator(`[data-dead-letter="${orderId}:placed"]`);
  await deadLetter.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Redrive 1" }).click();
  await deadLetter.waitFor({ state: "detached", timeout: seenMs });
  await openConsole(page, baseUrl, `/ops/orders/${orderId}`);
  await showAgainUntil(page, page.locator('[data-state="SHIPPED"]'));
}

/** An order of any user is found, read and cancelled. */
export async function orderIsFoundAndCancelled(page: Page, baseUrl: string): Promise<void> {
  // The console sees all orders, also in a browser in which a customer has given a name.
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Grace" });
  await orderShown(page);
  await openConsole(page, baseUrl, "/ops/faults");
  await turn(page, "shipping stop", true);
  await page.getByText(/Begin no shipment: on/).waitFor({ state: "attached" });
  const user = visitor("story");
  const item = { productId: "ceramic-mug", quantity: 2 };
  const orderId = await placeByRest(page, baseUrl, item, user);
  await openConsole(page, baseUrl, "/ops/orders");
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Product id").fill("ceramic-mug");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.locator("[data-orders='1'] [data-order]").waitFor();
  await page.reload();
  await page.getByRole("link", { name: orderId }).click();
  await page.locator("[data-kind=status]").nth(3).waitFor();
  await page.locator("[data-action=cancel]").click();
  await page.getByRole("button", { name: "Not now" }).click();
  await page.locator("[data-action=cancel]").click();
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await page.locator("[data-note=good]").waitFor({ timeout: seenMs });
  await showAgainUntil(page, page.locator('[data-state="CANCELLED"]'));
  await openConsole(page, baseUrl, "/ops/faults");
  await turn(page, "shipping stop", false);
  await page.getByText(/Begin no shipment: off/).waitFor({ state: "attached" });
}

/** Turns a switch. On a page that was just opened the first snapshot may be from before it was last turned: that is waited for. */
async function turn(page: Page, name: string, isOn: boolean): Promise<void> {
  const input = page.locator(`[data-switch="${name}"] input`);
  const before = page.locator(isOn ? ":not(:checked)" : ":checked");
  await input.and(before).waitFor({ state: "attached", timeout: seenMs });
  await input.setChecked(isOn);
}
