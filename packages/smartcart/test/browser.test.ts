/** What a visitor does with the shop, in a real browser on the built page. The scenarios are the page's own. */
import { existsSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as scenarios from "@smartcart/web/test/browser-scenarios";
import { buildPage } from "../src/build-page.ts";
import { startStack } from "./stack.ts";

const { launchChromium, openTestPage, ...visits } = scenarios;
const phone = { viewport: { width: 360, height: 740 } };
const noBrowser = !existsSync(process.env.CHROMIUM_PATH || "/usr/bin/chromium");

describe.skipIf(noBrowser)("a visitor", () => {
  const running = new AsyncDisposableStack();
  let browser: Awaited<ReturnType<typeof launchChromium>>;
  let baseUrl: string;

  beforeAll(async () => {
    const stack = running.use(await startStack({ page: await buildPage() }));
    baseUrl = stack.urls.web ?? "";
    browser = await launchChromium();
    running.defer(() => browser.close());
  });
  afterAll(() => running.disposeAsync());

  const named: Array<[string, (page: Page, baseUrl: string) => Promise<unknown>]> =
    Object.entries(visits);
  it.each(named)("%s", { timeout: 90_000 }, async (name, visit) => {
    const narrow = name === "nothingIsWiderThanThePhone";
    await using visitor = await openTestPage(browser, narrow ? phone : {});
    await visit(visitor.page, baseUrl);
    expect(visitor.errors).toEqual([]);
  });
});
