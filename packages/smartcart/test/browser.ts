/** A browser for the tests of one file, on the built page. */
import { existsSync } from "node:fs";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { launchChromium, openTestPage } from "@smartcart/web/test/browser-scenarios";
import { buildPage } from "../src/web/build-page.ts";

/** Whether these tests have to be skipped. */
export const noBrowser = !existsSync(process.env.CHROMIUM_PATH || "/usr/bin/chromium");

/** Longest time of a visit, in milliseconds. */
export const visitTimeout = 180_000;

/** A browser. Disposing closes it. */
export interface TestBrowser extends AsyncDisposable {
  /** The folder of the built page. */
  readonly page: string;
  /** A new visitor does something, and the browser reports no error. Options default to those of `openTestPage`. */
  visit(act: (page: Page) => Promise<unknown>, options?: BrowserContextOptions): Promise<void>;
}

/** Builds the page where it must be, and starts the browser. */
export async function startTestBrowser(): Promise<TestBrowser> {
  const page = await buildPage();
  const browser = await launchChromium();
  return {
    page,
    async visit(act, options = {}) {
      await using visitor = await openTestPage(browser, options);
      await act(visitor.page);
      expect(visitor.errors).toEqual([]);
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
