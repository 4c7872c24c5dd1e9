/**
 * Takes the pictures in docs/screenshots of a running SmartCart in demo mode: `npm run screenshots -w web [base URL]`.
 * Names after it ("shop", "product", "checkout", "order", "console") choose some of them. Orders come in meanwhile, so take a fresh one: `SMARTCART_STATE=… npm start`.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { launchChromium, openTestPage } from "./chromium.ts";
import { fillBasket, fillForm, orderEnded, placeByRest } from "./visitor.ts";

const [baseUrl = "http://127.0.0.1:5173", ...chosen] = process.argv.slice(2);
const folder = join(import.meta.dirname, "../../docs/screenshots");

/** Customers a second while the console is drawn, and how long its curves are given. */
const ordersPerSecond = 40;
const curvesMs = 60_000;

const looks = {
  light: {
    viewport: { width: 1280, height: 900 },
    colorScheme: "light",
    reducedMotion: "no-preference",
  },
  dark: {
    viewport: { width: 1280, height: 900 },
    colorScheme: "dark",
    reducedMotion: "no-preference",
  },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true },
} as const;

async function shop(page: Page): Promise<void> {
  await fillBasket(page, baseUrl, ["Espresso Beans", "Ceramic Mug", "Espresso Beans"]);
  await page.locator("[data-freshness=live]").waitFor();
}

async function product(page: Page): Promise<void> {
  await page.goto(new URL("/products/espresso-beans", baseUrl).href);
  await page.locator(".about").waitFor();
}

async function checkout(page: Page): Promise<void> {
  await shop(page);
  await fillForm(page, { name: "Ada Lovelace" });
  await page.locator("[data-line] .line-price").first().waitFor();
}

async function order(page: Page): Promise<void> {
  const orderId = await placeByRest(page, baseUrl, { productId: "ceramic-mug", quantity: 2 });
  await page.goto(new URL(`/orders/${orderId}`, baseUrl).href);
  await orderEnded(page);
  await page.locator("[data-order-status=SHIPPED]").waitFor();
  await page.waitForTimeout(1_000);
}

async function operations(page: Page): Promise<void> {
  await page.goto(new URL("/ops", baseUrl).href);
  await page.locator("[data-console=live]").waitFor();
  // A glance at the running lights, and at a chart that has its width.
  await page.waitForTimeout(2_500);
}

async function setLoad(value: number): Promise<void> {
  await fetch(new URL("/smartcart.ops.v1.OpsService/SetFaultSwitch", baseUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ service: "ops", name: "load", value }),
  });
}

await mkdir(folder, { recursive: true });
const browser = await launchChromium();
const visits = { shop, product, checkout, order, console: operations };
for (const [name, visit] of Object.entries(visits)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  if (name === "console") {
    await setLoad(ordersPerSecond);
    await new Promise((resolve) => setTimeout(resolve, curvesMs));
  }
  for (const [look, options] of Object.entries(looks)) {
    await using visitor = await openTestPage(browser, options);
    await visit(visitor.page);
    const height = name === "console" && look !== "phone" ? 1_080 : options.viewport.height;
    await visitor.page.setViewportSize({ width: options.viewport.width, height });
    await visitor.page.screenshot({ path: join(folder, `${name}-${look}.png`) });
  }
}
await setLoad(0);
await browser.close();
