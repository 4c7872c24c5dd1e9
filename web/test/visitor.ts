/** The hands and eyes of a visitor: what the scenarios have in common. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";

/** Puts units of products into the basket, one for each mention. */
export async function fillBasket(
  page: Page,
  baseUrl: string,
  names: readonly string[],
): Promise<void> {
  await page.goto(baseUrl);
  for (const name of names) {
    const [add, more] = [`Add ${name} to the basket`, `Add one more ${name}`];
    const button = page.getByRole("button", { name: add, exact: true });
    await button.or(page.getByRole("button", { name: more, exact: true })).click();
  }
}

/** What a visitor types and chooses. */
export interface Form {
  readonly name: string;
  /** Token of the card. Default: the one that the page offers first. */
  readonly card?: string;
}

export async function fillForm(page: Page, { name, card }: Form): Promise<void> {
  if (new URL(page.url()).pathname !== "/checkout") {
    await page.getByRole("link", { name: /^Basket, / }).click();
  }
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Address").fill("1 Main St, Springfield");
  if (card) await page.locator(`input[value=${card}]`).check();
}

/** Opens a page of the operations console and waits for its first numbers. */
export async function openConsole(page: Page, baseUrl: string, path = "/ops"): Promise<void> {
  await page.goto(new URL(path, baseUrl).href);
  await page.locator("[data-console=live]").waitFor({ timeout: 60_000 });
  if (path === "/ops") await page.locator("[data-node]").first().waitFor();
}

export async function checkOut(page: Page, form: Form): Promise<void> {
  await fillForm(page, form);
  await payButton(page).click();
}

/** The button that sends the order, with what it comes to. */
export function payButton(page: Page): Locator {
  return page.getByRole("button", { name: /^Pay(?: \$|$)/ });
}

/** Waits for the page of an order; answers its id. */
export async function orderShown(page: Page): Promise<string> {
  await page.waitForURL(/\/orders\/ORD-/, { timeout: 30_000 });
  await page.locator(".step").first().waitFor();
  return new URL(page.url()).pathname.split("/").at(-1) ?? "";
}

export function stepsShown(page: Page): Promise<(string | null)[]> {
  return page
    .locator("[data-sequence]")
    .evaluateAll((steps) => steps.map((step) => step.getAttribute("data-status")));
}

export function sequencesShown(page: Page): Promise<number[]> {
  return page
    .locator("[data-sequence]")
    .evaluateAll((steps) => steps.map((step) => Number(step.getAttribute("data-sequence"))));
}

export async function basketUnits(page: Page): Promise<number> {
  return Number(await page.locator(".basket-link .badge").textContent());
}

/** The text that a screen reader reads with a field. */
export async function describedBy(page: Page, selector: string): Promise<string | null> {
  const id = await page.locator(`${selector}[aria-invalid=true]`).getAttribute("aria-describedby");
  return page.locator(`#${id}`).textContent();
}

/** Presses Tab until the focus is on what has this accessible name. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    const named = page.getByLabel(name, { exact: true }).or(page.getByText(name, { exact: true }));
    const found = await focused.and(named).count();
    if (found > 0 && (await focused.isVisible())) return;
  }
  assert.fail(`"${name}" cannot be reached by Tab`);
}

/** The page says that it follows the order until the order is final, and not after that. */
export async function assertEnded(page: Page): Promise<void> {
  await orderEnded(page);
  assert.equal(
    await page
      .locator("main")
      .getByText(/\blive\b/i)
      .count(),
    0,
  );
  await assertNoCodes(page);
}

/** Error codes are for programs: no page shows one. */
export async function assertNoCodes(page: Page): Promise<void> {
  assert.equal(
    await page
      .locator("main")
      .getByText(/[a-z]+_[a-z]+|[A-Z]+_[A-Z]+/)
      .count(),
    0,
  );
}

export async function assertFits(page: Page): Promise<void> {
  const [content, screen] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(Number(content) <= Number(screen), `${page.url()}: ${content} px on ${screen} px`);
}

/** Longest wait for an order to be shipped, in milliseconds; it covers a slow machine and a slow bank. */
const shippedTimeoutMs = 90_000;

/** Waits until the page knows that nothing more will happen to the order. */
export function orderEnded(page: Page): Promise<void> {
  const end = page.locator("[data-liveness=complete]");
  return end.waitFor({ state: "attached", timeout: shippedTimeoutMs });
}

export async function ordersOf(page: Page, baseUrl: string, userId: string): Promise<unknown[]> {
  const answer = await page.request.get(new URL(`/orders?userId=${userId}`, baseUrl).href, {
    headers: { accept: "application/json" },
  });
  const { orders = [] } = (await answer.json()) as { orders?: unknown[] };
  return orders;
}

/** Places an order of another customer; answers its id. */
export async function placeByRest(
  page: Page,
  baseUrl: string,
  item: { readonly productId: string; readonly quantity: number },
  userId: string = visitor("rest"),
): Promise<string> {
  const answer = await page.request.post(new URL("/placeOrder", baseUrl).href, {
    data: { userId, items: [item], address: "2 Main St, Springfield" },
  });
  assert.equal(answer.status(), 201, await answer.text());
  return ((await answer.json()) as { orderId: string }).orderId;
}

/** A new name, so that orders of an earlier run do not count. */
export function visitor(stem: string): string {
  return `${stem}-${crypto.randomUUID().slice(0, 8)}`;
}

/** The console's story of an order is a snapshot: it is read again until it has the text. */
export async function showAgainUntil(page: Page, wanted: Locator): Promise<void> {
  for (let reads = 0; reads < 60 && (await wanted.count()) === 0; reads += 1) {
    const answered = page.waitForResponse(/GetOrderStory/);
    await page.getByRole("button", { name: "Refresh" }).click();
    await answered;
  }
  await wanted.first().waitFor();
}
