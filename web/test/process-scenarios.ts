/** What needs the services as processes of their own: they can be killed, and their log goes its whole way. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { adminCall } from "./catalogue-admin.ts";
import {
  assertEnded,
  checkOut,
  fillBasket,
  orderEnded,
  orderShown,
  placeByRest,
  sequencesShown,
  showAgainUntil,
  stepsShown,
  visitor,
} from "./visitor.ts";

/** Kills a service, and starts it again. */
export interface Undertaker {
  kill(): Promise<void>;
  revive(): Promise<void>;
}

const longMs = 90_000;

/** The hub dies before the order is shipped and comes back after: the page shows every step, each once. */
export async function deadHubLosesNoStep(
  page: Page,
  baseUrl: string,
  { kill, revive }: Undertaker,
): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await kill();
  await checkOut(page, { name: "Alan" });
  await page.waitForURL(/\/orders\/ORD-/, { timeout: longMs });
  await page.locator("[data-liveness=interrupted]").waitFor({ timeout: longMs });
  await revive();
  await orderEnded(page);
  assert.deepEqual(await sequencesShown(page), [1, 2, 3, 4, 5, 6]);
  assert.equal((await stepsShown(page)).at(-1), "Shipped");
}

/** As long as nothing is relayed, no shipment begins and the order can be cancelled: the page asks once and tells what it does. */
export async function cancelGivesBack(page: Page, baseUrl: string): Promise<void> {
  await fillBasket(page, baseUrl, ["Ceramic Mug"]);
  await checkOut(page, { name: "Edsger" });
  await orderShown(page);
  await page.locator('[data-status="Order Confirmed"]').waitFor({ timeout: longMs });
  await page.getByRole("button", { name: "Cancel this order…" }).click();
  await page.getByText("$18.00 is refunded, and the items are returned to stock.").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Cancel this order…" }).click();
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.locator("[data-order-status=CANCELLED]").waitFor({ timeout: longMs });
  await page.locator('[data-status="Refunded"]').waitFor({ timeout: longMs });
  await page.getByRole("heading", { name: "Your order is cancelled" }).waitFor();
  await assertEnded(page);
}

/**
 * The console tells the whole story of an order, with the lines of the services that took part, and what an operator did to it or
 * to a product. As `cancelGivesBack`, as long as nothing is relayed.
 */
export async function operatorReadsAndCancels(page: Page, baseUrl: string): Promise<void> {
  const orderId = await placeByRest(page, baseUrl, { productId: "ceramic-mug", quantity: 1 });
  await page.goto(new URL(`/ops/orders/${orderId}`, baseUrl).href);
  for (const line of ["inventory.held", "payment.captured"]) {
    await showAgainUntil(page, page.locator("[data-kind=log]", { hasText: line }));
  }
  await page.locator("[data-action=cancel]").click();
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await page.locator("[data-note=good]").waitFor({ timeout: longMs });
  await showAgainUntil(page, page.locator('[data-state="CANCELLED"]'));
  await showAgainUntil(page, page.locator("[data-audit]", { hasText: "WithdrawOrder" }));
  await showAgainUntil(page, page.locator("[data-kind=log]", { hasText: "payment.refunded" }));
  const adjustment = { adjustmentId: visitor("audited"), productId: "ceramic-mug", delta: 1 };
  const reason = "STOCK_ADJUSTMENT_REASON_RETURNED";
  const adjusted = await adminCall(page, baseUrl, "AdjustStock", { ...adjustment, reason });
  assert.equal(adjusted.status, 200);
  await page.goto(new URL("/ops/log?log=AdjustStock", baseUrl).href);
  await page.getByText("called AdjustStock of ceramic-mug").waitFor({ timeout: longMs });
}

/** The order's page leads to its lines in the log. */
export async function orderLeadsToItsLogLines(page: Page, baseUrl: string): Promise<void> {
  const orderId = await placeByRest(page, baseUrl, { productId: "ceramic-mug", quantity: 1 });
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await orderEnded(page);
  await page.getByText("Details", { exact: true }).click();
  await page.getByRole("link", { name: "Log records of this order" }).click();
  const lines = page.locator(".log-line");
  await lines.first().waitFor({ timeout: longMs });
  const owners = await lines
    .locator("a")
    .evaluateAll((links) => links.map((link) => link.getAttribute("title")));
  assert.deepEqual([...new Set(owners)], [orderId]);
}
