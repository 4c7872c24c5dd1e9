/** An operator at a console whose service answers by a script: see `fake-ops.ts`. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { assertAccessible } from "./accessibility.ts";
import type { FakeOps } from "./fake-ops.ts";
import { assertFits, openConsole, tabTo } from "./visitor.ts";

const deadLetter = (page: Page, id: string) => page.locator(`[data-dead-letter="${id}"]`);

/** Reads a dead letter, puts one back, and throws the rest away only after a question. */
export async function deadLettersAreRedrivenOrDropped(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url, "/ops/dead-letters");
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
  await openConsole(page, url, "/ops/log");
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
  await openConsole(page, url, "/ops/dead-letters");
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

/** Every page of the console, with what can be opened on it open. */
async function* pagesOfTheConsole(page: Page, url: string): AsyncGenerator<string> {
  await openConsole(page, url);
  await page.locator("[data-invariant]").last().click();
  await page.locator("[data-node=order]").click();
  yield "overview";
  await openConsole(page, url, "/ops/dead-letters");
  await page
    .locator("[data-dead-letter]")
    .first()
    .getByRole("button", { name: /^Details/ })
    .click();
  await page.getByRole("button", { name: "Edit and send a copy" }).click();
  yield "dead letters";
  await openConsole(page, url, "/ops/log");
  await page.locator(".log-line").first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  yield "log";
  await openConsole(page, url, "/ops/orders");
  await page.locator("[data-search=done]").waitFor();
  yield "orders";
  await openConsole(page, url, "/ops/orders/ORD-FAKE-1");
  await page.locator("[data-kind]").first().waitFor();
  yield "order";
  await openConsole(page, url, "/ops/catalogue");
  await page.locator("[data-product]").first().waitFor();
  await page.getByRole("button", { name: "Create product" }).click();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  yield "catalogue, a new product";
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.locator("[data-edit]").first().click();
  await page.locator("[data-ledger]").waitFor();
  await page.setInputFiles("#import-file", {
    ...{ name: "goods.csv", mimeType: "text/csv" },
    buffer: Buffer.from("product_id\nfake-1\n"),
  });
  await page.locator("[data-import=checked]").waitFor();
  yield "catalogue, an import and an editor";
  await openConsole(page, url, "/ops/faults");
  await page.locator("[data-switch]").first().waitFor();
  yield "faults";
}

/** axe finds nothing serious on any page of the console. */
export async function nothingSeriousForAxeOnTheConsole(
  page: Page,
  { url }: FakeOps,
): Promise<void> {
  for await (const name of pagesOfTheConsole(page, url)) await assertAccessible(page, name);
}

/** The console fits a small phone. Open the page with a viewport of 360 px. */
export async function consoleFitsThePhone(page: Page, { url }: FakeOps): Promise<void> {
  for await (const _ of pagesOfTheConsole(page, url)) await assertFits(page);
}

/** Nothing that can be seen is pushed about while a page of the console gets its content. */
export async function consoleHoldsItsLayout(page: Page, { url }: FakeOps): Promise<void> {
  await page.addInitScript(() => {
    const seen = { shift: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        readonly value: number;
        readonly hadRecentInput: boolean;
      })[]) {
        if (!entry.hadRecentInput) seen.shift += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  const paths = [
    "",
    "/log",
    "/orders",
    "/orders/ORD-FAKE-1",
    "/catalogue",
    "/dead-letters",
    "/faults",
  ];
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    for (const path of width === 390 ? paths.slice(0, 2) : paths) {
      await openConsole(page, url, `/ops${path}`);
      if (path === "") await anotherSnapshot(page);
      const shift = await page.evaluate(
        () => (globalThis as unknown as { seen: { shift: number } }).seen.shift,
      );
      assert.ok(shift < 0.05, `/ops${path} at ${width} px: layout shift ${shift}`);
    }
  }
}

async function anotherSnapshot(page: Page): Promise<void> {
  const before = await page.locator("[data-console]").getAttribute("data-snapshot");
  await page.locator(`[data-console]:not([data-snapshot="${before}"])`).waitFor();
}

/** No label of the map covers another one, or a box. */
export async function mapLabelsDoNotCollide(page: Page, { url }: FakeOps): Promise<void> {
  for (const width of [1280, 768, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await openConsole(page, url);
    const boxes = await page.locator(".map .edge-label, .map .node rect").evaluateAll((elements) =>
      elements.map((element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        return { left, right, top, bottom, text: element.textContent?.trim() ?? "" };
      }),
    );
    assert.ok(boxes.filter(({ text }) => text !== "").length > 5, "there are labels");
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const overlap =
          Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
          Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1;
        assert.ok(!overlap, `at ${width} px "${one.text}" covers "${other.text}"`);
      }
    }
  }
}

/** The alarms stand first, in words, in the title of the tab and in its picture; they go when nothing is wrong any more. */
export async function alarmsStandFirst(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  await page.locator('[data-alarm="Invariants"][data-tone=bad]').waitFor();
  await page.locator('[data-alarm="Dead letters"][data-tone=warn]').waitFor();
  await page.waitForFunction(() => document.title.startsWith("(2) "));
  const icon = page.locator("link[rel=icon]");
  assert.equal(await icon.getAttribute("href"), "/favicon-alarm.svg");
  await page.getByRole("button", { name: "Check now and repair" }).click();
  await page.locator('[data-alarm="Invariants"][data-tone=good]').waitFor();
  await page.locator('[data-alarm="Dead letters"]').click();
  await page.getByLabel("All shown").check();
  await page.getByRole("button", { name: "Archive 3" }).click();
  await page.locator('[data-alarm="Dead letters"][data-tone=good]').waitFor();
  await page.waitForFunction(() => !document.title.startsWith("("));
  assert.equal(await icon.getAttribute("href"), "/favicon.svg");
}

/** Dead letters are grouped, one is sent again as an edited copy, all are archived only after a question. */
export async function deadLettersAreGroupedEditedAndArchived(
  page: Page,
  { url }: FakeOps,
): Promise<void> {
  await openConsole(page, url, "/ops/dead-letters");
  await page.locator("[data-group]").first().waitFor();
  await page.getByRole("button", { name: "By order" }).click();
  await page.locator("[data-group*=ORD-]").first().waitFor();
  await deadLetter(page, "0198-4c7e-1")
    .getByRole("button", { name: /^Details/ })
    .click();
  await page.getByRole("button", { name: "Edit and send a copy" }).click();
  const body = page.getByLabel("Body of the copy");
  await body.fill("{oops");
  await page.getByRole("button", { name: "Send the copy" }).click();
  await page.getByText("is not JSON").waitFor();
  await body.fill('{"orderId":"ORD-1"}');
  await page.getByRole("button", { name: "Send the copy" }).click();
  await page.locator("[data-copy='0198-4c7e-1:copy-1']").waitFor();
  await page.locator("[data-archive-all=orders]").click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Keep" }).click();
  await deadLetter(page, "0198-4c7e-1").waitFor();
  await page.locator("[data-archive-all=orders]").click();
  await page.getByRole("button", { name: "Archive all", exact: true }).click();
  await page.getByText("None. All messages were processed.").waitFor();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await deadLetter(page, "0198-4c7e-1").waitFor();
}

/** The address of the log from before it had a page still leads there. */
export async function oldLinksStillLead(page: Page, { url }: FakeOps): Promise<void> {
  await page.goto(new URL("/ops?log=parcel", url).href);
  await page.getByRole("heading", { name: "Log", exact: true }).waitFor();
  assert.equal(await page.getByLabel("Words, order or trace").inputValue(), "parcel");
  assert.match(page.url(), /\/ops\/log\?log=parcel$/);
  await page.locator(".log-line").first().waitFor();
}

/** The charts show a day, of minutes that the service kept. */
export async function chartsShowADay(page: Page, { url }: FakeOps): Promise<void> {
  await openConsole(page, url);
  await page.getByRole("button", { name: "24 hours" }).click();
  await page.locator("[data-points='1440']").waitFor();
  await page.getByRole("button", { name: "5 minutes" }).click();
  await page.locator("[data-points='300'], [data-points='301']").first().waitFor();
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
