/**
 * What an operator does at the desk of a running SmartCart in demo mode, as functions of a page and of its base URL.
 * Those in `test/scripted-desk-scenarios.ts` need a desk that says what a script wants.
 */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { checkOut, fillBasket, openDesk, orderShown, tabTo } from "./visitor.ts";

/** The parts that take an order through. */
const parts = ["order", "inventory", "payment", "notification", "shipping", "status-hub", "log"];

/** Longest wait for the desk to see what happened, in milliseconds: it looks once a second, on a busy machine less often. */
const SEEN_MS = 60_000;

/** Every part is on the map and ready, and every promise has its lamp. */
export async function deskShowsEveryPart(page: Page, baseUrl: string): Promise<void> {
  await openDesk(page, baseUrl);
  for (const part of parts) {
    await page.locator(`[data-node="${part}"][data-health=ready]`).waitFor({ timeout: SEEN_MS });
  }
  await page.locator("[data-promise]").first().waitFor({ timeout: SEEN_MS });
  await page.locator('[data-node="payment"]').click();
  await page.getByText("Numbers of payment").waitFor();
}

/** A switch breaks the payments, the shop says so, and the switch mends them again. */
export async function declineSwitchDeclines(page: Page, baseUrl: string): Promise<void> {
  const decline = page.locator('[data-switch="payment decline"] input');
  await openDesk(page, baseUrl);
  await decline.check();
  await page.getByText(/Decline.*: on/).waitFor({ state: "attached" });
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Grace" });
  await page.getByRole("heading", { name: "The payment was declined" }).waitFor();
  await openDesk(page, baseUrl);
  assert.ok(await decline.isChecked(), "the desk still shows it on");
  await decline.uncheck();
  await page.getByText(/Decline.*: off/).waitFor({ state: "attached" });
  await page.getByRole("link", { name: /^Basket, / }).click();
  await page.getByRole("button", { name: "Place the order" }).click();
  await orderShown(page);
}

/** Turns a switch without a mouse. */
export async function switchWithKeyboardOnly(page: Page, baseUrl: string): Promise<void> {
  await openDesk(page, baseUrl);
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
