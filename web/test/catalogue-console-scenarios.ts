/** What operators do on the page Catalogue of a running SmartCart whose operators need no token. Functions of a page and its base URL. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { createProduct } from "./catalogue-admin.ts";
import { openTestPage } from "./chromium.ts";
import { png } from "./png.ts";
import { openConsole, tabTo, visitor } from "./visitor.ts";

/** A product is created with a picture, sold, edited, restocked, archived and listed again. */
export async function productIsCreatedAndEdited(page: Page, baseUrl: string): Promise<void> {
  const productId = visitor("vase");
  await openConsole(page, baseUrl, "/ops/catalogue");
  await page.getByRole("button", { name: "Create product" }).click();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("Enter a name.").waitFor();
  await page.getByLabel("Product id (SKU)").fill(productId);
  await page.getByLabel("Units in stock").fill("2");
  await page.getByLabel("Name", { exact: true }).fill(`Vase ${productId}`);
  await page.getByRole("combobox", { name: "Category" }).nth(0).fill("Zz");
  await page.getByLabel("Price").fill("20");
  await page.setInputFiles(
    ".new-product input[type=file]",
    picture("notes.txt", Buffer.from("hm")),
  );
  await page.getByText("is not a picture in PNG, JPEG, WebP or AVIF").waitFor();
  const bytes = png(randomInt(256), randomInt(256), randomInt(256));
  await page.setInputFiles(".new-product input[type=file]", picture("vase.png", bytes));
  await page.locator(".new-product .tile img:not(.absent)").waitFor();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await edit(page, productId);
  await saveField(page, "Price", "21.50");
  await adjust(page, "+10", "received from a supplier (+)", "delivery 4711");
  await adjust(page, "-1", "written off: lost, broken, expired (−)", "dropped");
  await page.locator("[data-ledger='2']").getByText("delivery 4711").waitFor();
  await page.locator(`[data-product="${productId}"] [data-available="11"]`).waitFor();
  await shopShows(page, baseUrl, productId);
  await openConsole(page, baseUrl, `/ops/catalogue?q=${productId}`);
  await edit(page, productId);
  await page.getByRole("button", { name: "Archive…" }).click();
  await page.getByRole("button", { name: "Not now" }).click();
  await page.getByRole("button", { name: "Archive…" }).click();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await page.getByText("Archived.", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Unarchive" }).click();
  await page.getByText("Listed again.").waitFor();
}

/** The picture is on the shop's card, on the page of the product and in the basket. */
async function shopShows(page: Page, baseUrl: string, productId: string): Promise<void> {
  await page.goto(new URL(`/?q=${productId}`, baseUrl).href);
  await page.locator(".product .tile img:not(.absent)").waitFor();
  await page.getByRole("link", { name: `Vase ${productId}` }).click();
  const shown = page.locator(".product-page .tile img:not(.absent)");
  await shown.waitFor();
  const answer = await page.request.get(
    new URL((await shown.getAttribute("src")) ?? "", baseUrl).href,
  );
  assert.equal(answer.headers()["content-type"], "image/png");
  assert.match(answer.headers()["cache-control"] ?? "", /immutable/);
  await page.getByText("$21.50").first().waitFor();
  await page.getByRole("button", { name: `Add Vase ${productId} to the basket` }).click();
  await page.goto(new URL("/checkout", baseUrl).href);
  await page.locator("[data-line] .tile img:not(.absent)").first().waitFor();
}

/** Two operators edit one product: the second is told what the first has changed, and keeps theirs, or takes it. */
export async function secondOperatorIsTold(page: Page, baseUrl: string): Promise<void> {
  const productId = visitor("shared");
  await createProduct(page, baseUrl, { productId });
  const browser = page.context().browser();
  assert.ok(browser);
  await using other = await openTestPage(browser);
  for (const one of [page, other.page]) {
    await openConsole(one, baseUrl, `/ops/catalogue?q=${productId}`);
    await edit(one, productId);
  }
  await saveField(other.page, "Price", "12.00");
  await page.getByLabel("Price").fill("11.00");
  await page.getByLabel("Name", { exact: true }).fill(`Mine ${productId}`);
  await page.getByRole("button", { name: "Save" }).click();
  const change = page.locator("[data-conflict] [data-field=price]");
  await change.waitFor();
  assert.deepEqual(await change.locator("td").allTextContents(), ["10.00", "12.00", "11.00"]);
  await page.getByRole("button", { name: "Keep mine" }).click();
  await page.getByText("Saved.").waitFor();
  await page.locator(`[data-product="${productId}"]`, { hasText: "$11.00" }).waitFor();
  // The first has an old one now.
  await other.page.getByLabel("Name", { exact: true }).fill("Theirs");
  await other.page.getByRole("button", { name: "Save" }).click();
  await other.page.getByRole("button", { name: "Take theirs" }).click();
  await other.page.getByText("Their values are taken.").waitFor();
  const name = await other.page.getByLabel("Name", { exact: true }).inputValue();
  assert.equal(name, `Mine ${productId}`);
  await saveField(other.page, "Description", "Seen by both.");
  assert.deepEqual(other.errors, []);
}

/** A customer waits for what is sold out: when it is restocked, the shop says so by itself. */
export async function restockReachesTheCustomer(page: Page, baseUrl: string): Promise<void> {
  const productId = visitor("awaited");
  await createProduct(page, baseUrl, { productId, initialStock: 0 });
  const browser = page.context().browser();
  assert.ok(browser);
  await using window = await openTestPage(browser);
  const customer = window.page;
  await customer.goto(new URL(`/products/${productId}`, baseUrl).href);
  await customer.getByText("Sold out").first().waitFor();
  await openConsole(page, baseUrl, `/ops/catalogue?q=${productId}`);
  await edit(page, productId);
  await adjust(page, "3", "received from a supplier (+)", "");
  await customer.getByText("Only 3 left").waitFor();
  await customer.getByRole("button", { name: /^Add .* to the basket$/ }).click();
}

/** A file is previewed with what it would change and every bad line, left, then applied; and exported again. */
export async function fileIsPreviewedAndImported(page: Page, baseUrl: string): Promise<void> {
  const stem = visitor("lot");
  await createProduct(page, baseUrl, { productId: `${stem}-0` });
  const lines = [
    "product_id;name;category;price;currency;stock",
    `${stem}-0;Product ${stem}-0;Zz;12.50;USD;`,
  ];
  for (let line = 1; line <= 300; line += 1) {
    lines.push(
      `${stem}-${line};"Lot ${line}; ""good""";Zz;1.00;${line % 10 === 0 ? "ZZZ" : "USD"};4`,
    );
  }
  await openConsole(page, baseUrl, `/ops/catalogue?q=${stem}`);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.setInputFiles("#import-file", goods("wrong.csv", "product_id,colour\nx,red\n"));
  await page.getByText('"colour" is not a column').waitFor();
  await page.setInputFiles("#import-file", goods("goods.csv", lines.join("\r\n")));
  await page.locator("[data-import=checked]").waitFor();
  const count = (name: string) => page.locator(`[data-count="${name}"]`).textContent();
  assert.equal(await count("To create"), "270");
  assert.equal(await count("To change"), "1");
  assert.equal(await count("Bad lines"), "30");
  const problems = page.getByRole("region", { name: "Lines that cannot be imported" });
  assert.equal(await problems.locator("tbody tr").count(), 30);
  assert.match((await problems.locator("tbody tr").first().textContent()) ?? "", /12\s*currency/);
  await page.locator(`[data-change="${stem}-0"]`, { hasText: /10\.00 → 12\.50/ }).waitFor();
  await page.getByRole("button", { name: "Show more changes" }).click();
  await page.locator("[data-changes='100']").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("1 product.", { exact: true }).waitFor();
  await page.setInputFiles("#import-file", goods("goods.csv", lines.join("\r\n")));
  await page.locator("[data-commit]").click();
  await page.locator("[data-imported]", { hasText: "270 created, 1 changed" }).waitFor();
  await page.getByRole("button", { name: "Next" }).click();
  await page.locator(`[data-product="${stem}-143"]`).waitFor();
  const downloaded = page.waitForEvent("download");
  await page.locator("[data-export]").click();
  const csv = await text(await (await downloaded).createReadStream());
  assert.equal(csv.trim().split("\r\n").length, 272);
  assert.match(csv, /"Lot 1; ""good""",,Zz,,,1\.00,USD,4,false/);
  const again = csv.split("\r\n").slice(0, 3).join("\n");
  await page.setInputFiles("#import-file", goods("export.csv", again));
  await page.getByText("The file changes nothing.").waitFor();
}

/** A product is found and its price changed without a mouse. */
export async function priceIsChangedByKeyboard(page: Page, baseUrl: string): Promise<void> {
  const productId = visitor("typed");
  await createProduct(page, baseUrl, { productId });
  await openConsole(page, baseUrl, "/ops/catalogue");
  await tabTo(page, "Name, id or words");
  await page.keyboard.type(productId);
  await page.keyboard.press("Enter");
  await page.locator("[data-products='1']").waitFor();
  await tabTo(page, `Edit Product ${productId}`);
  await page.keyboard.press("Enter");
  await tabTo(page, "Price");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("13.37");
  await page.keyboard.press("Enter");
  await page.getByText("Saved.").waitFor();
  await page.locator(`[data-product="${productId}"]`, { hasText: "$13.37" }).waitFor();
}

const picture = (name: string, buffer: Buffer) => ({ name, mimeType: "image/png", buffer });
const goods = (name: string, content: string) => ({
  ...{ name, mimeType: "text/csv" },
  buffer: Buffer.from(content),
});

async function edit(page: Page, productId: string): Promise<void> {
  await page.locator(`[data-edit="${productId}"]`).click();
  await page.locator(".product-editor").waitFor();
}

async function saveField(page: Page, label: string, value: string): Promise<void> {
  await page.locator(".product-editor").getByLabel(label, { exact: true }).fill(value);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
}

async function adjust(page: Page, units: string, reason: string, remark: string): Promise<void> {
  await page.getByLabel("Units, + or −").fill(units);
  await page.getByLabel("Reason").selectOption(reason);
  await page.getByLabel("Remark").fill(remark);
  await page.getByRole("button", { name: "Adjust stock" }).click();
  await page.locator("[data-adjusted]").waitFor();
}
