/** What an operator does at a console whose service says what a script wants: see `fake-ops.ts`. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { assertAccessible } from "./accessibility.ts";
import type { FakeOps } from "./fake-ops.ts";
import { assertFits, openConsole, tabTo } from "./visitor.ts";

const deadLetter = (page: Page, id: string) => page.locator(`[data-dead-letter="${id}"]`);

/** Reads a dead letter, puts one back, and throws the rest away only after a question. */
export async function deadLettersAreRedrivenOrDropped(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  await deadLetter(page, "0198-4c7e-1")
    .getByRole("button", { name: /^Details/ })
    .click();
  await page.getByText('"productId": "ceramic-mug"').waitFor();
  await deadLetter(page, "0198-4c7e-1").getByRole("checkbox").check();
  await page.getByRole("button", { name: "Redrive 1" }).click();
  await page.getByText("1 message is back in the queue.").first().waitFor();
  await deadLetter(page, "0198-4c7e-1").waitFor({ state: "detached" });
  await page.getByLabel("All shown").check();
  await page.getByRole("button", { name: "Drop 2…" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Keep" }).click();
  await deadLetter(page, "0198-4c7e-2").waitFor();
  await page.getByRole("button", { name: "Drop 2…" }).click();
  await page.getByRole("button", { name: "Delete permanently" }).click();
  await page.getByText("None. All messages were processed.").waitFor();
}

/** The stream breaks: the console says so and fades the numbers; it goes on by itself. */
export async function brokenStreamIsNeverShownAsLive(page: Page, fake: FakeOps): Promise<void> {
  await openConsole(page, fake.url);
  fake.cut(true);
  await page.locator("[data-console=interrupted]").waitFor();
  await page.locator("[data-stale]").waitFor();
  fake.cut(false);
  await page.locator("[data-console=live]").waitFor({ timeout: 60_000 });
  await page.locator("[data-stale]").waitFor({ state: "detached" });
}

/** A row that violates an invariant links to its order, and the repair reports what it did. */
export async function violatedInvariantIsRepaired(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  const button = page.locator("[data-invariant='no payment without an order']");
  await page
    .locator("[data-invariant='no payment without an order'][data-state=violated]")
    .waitFor();
  await button.click();
  await page.locator(".invariant-details").getByRole("link", { name: /^ORD-/ }).waitFor();
  await page.getByRole("button", { name: "Check now and repair" }).click();
  await page.locator("[data-repairs='1']").waitFor();
  assert.equal(await button.getAttribute("data-state"), "holds");
}

/** The log is searched by words, and paused while an operator reads. */
export async function logIsSearchedAndPaused(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  await page.getByLabel("Words, order or trace").fill("parcel");
  await page.getByLabel("Words, order or trace").press("Enter");
  await page.locator(".log-line .event", { hasText: "shipment.started" }).first().waitFor();
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".log-line")].every((line) =>
      line.textContent?.includes("parcel"),
    ),
  );
  assert.match(page.url(), /log=parcel/);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText(/^Paused, [\d,]+ new$/).waitFor();
  const top = page.locator(".log-line time").first();
  const held = await top.textContent();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.waitForFunction(
    (before) => document.querySelector(".log-line time")?.textContent !== before,
    held,
  );
}

/** From the first Tab to a message that is back in its queue, without a mouse. */
export async function redriveWithKeyboardOnly(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  await deadLetter(page, "0198-4c7e-2").waitFor();
  await tabTo(page, "Select OrderPlaced of orders, 0198-4c7e-2");
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+Tab");
  for (let presses = 0; presses < 10; presses += 1) {
    if (await page.locator(":focus", { hasText: /^\s*Redrive 1\s*$/ }).count()) break;
    await page.keyboard.press("Shift+Tab");
  }
  await page.keyboard.press("Enter");
  await deadLetter(page, "0198-4c7e-2").waitFor({ state: "detached" });
}

/** axe finds nothing serious on the console, with all that can be opened open. */
export async function nothingSeriousForAxeOnTheConsole(
  page: Page,
  { url }: FakeOps,
): Promise<void> {
  await openConsole(page, url);
  await page.locator(".log-line").first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page
    .locator("[data-dead-letter]")
    .first()
    .getByRole("button", { name: /^Details/ })
    .click();
  await page.locator("[data-invariant]").last().click();
  await page.locator("[data-node=order]").click();
  await assertAccessible(page, "console");
}

/** The console fits a small phone. Open the page with a viewport of 360 px. */
export async function consoleFitsThePhone(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  await page.locator(".log-line").first().waitFor();
  await page
    .locator("[data-dead-letter]")
    .first()
    .getByRole("button", { name: /^Details/ })
    .click();
  await page.locator("[data-node=payment]").click();
  await assertFits(page);
}

/** A console with a token asks for it, says when it is wrong, and opens when it is right. */
export async function tokenOpensTheConsole(
  page: Page,
  { url }: FakeOps,
  token: string,
): Promise<void> {
  await page.goto(new URL("/ops", url).href);
  await page.getByRole("textbox", { name: "Token" }).fill("something else");
  await page.getByRole("button", { name: "Open the console" }).click();
  await page.getByText("The token is incorrect.").waitFor();
  await page.getByRole("textbox", { name: "Token" }).fill(token);
  await page.getByRole("button", { name: "Open the console" }).click();
  await page.locator("[data-console=live]").waitFor();
  await page.reload();
  await page.locator("[data-console=live]").waitFor();
}
