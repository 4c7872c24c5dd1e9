/** What people do with the page of a running shop, in a real browser on the built one. The scenarios are the page's own. */
import naughtyStrings from "big-list-of-naughty-strings" with { type: "json" };
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBus } from "@smartcart/bus";
import { silentLogger } from "@smartcart/runtime";
import * as scenarios from "@smartcart/web/test/browser-scenarios";
import * as catalogueConsoleVisits from "@smartcart/web/test/catalogue-console-scenarios";
import * as catalogueVisits from "@smartcart/web/test/catalogue-scenarios";
import * as consoleVisits from "@smartcart/web/test/console-scenarios";
import * as faults from "@smartcart/web/test/fault-scenarios";
import { textIsOnlyText } from "@smartcart/web/test/naughty-text";
import type { TestBrowser } from "./browser.ts";
import { noBrowser, startTestBrowser, visitTimeout as timeout } from "./browser.ts";
import { startStack } from "./stack.ts";

const { launchChromium, openTestPage, ...visits } = scenarios;
const { deadLetterIsRedriven, ...operatorVisits } = consoleVisits;
const ofTheCatalogue = { ...catalogueVisits, ...catalogueConsoleVisits };
const isMarkup = (text: string) => /[<>&"'`]/.test(text);
/** Of the Big List of Naughty Strings, every third of those that might be markup, and a few of the rest. */
const sample = [
  ...naughtyStrings.filter(isMarkup).filter((_, index) => index % 3 === 0),
  ...naughtyStrings.filter((text) => !isMarkup(text)).filter((_, index) => index % 12 === 0),
];

describe.skipIf(noBrowser)("a visitor and an operator", () => {
  const running = new AsyncDisposableStack();
  let browser: TestBrowser;
  let baseUrl: string;
  let databaseUrl: string;

  beforeAll(async () => {
    browser = running.use(await startTestBrowser());
    const env = { SMARTCART_DEMO: "true" };
    const stack = running.use(await startStack({ page: browser.page, env }));
    baseUrl = stack.urls.web ?? "";
    databaseUrl = stack.databaseUrl;
  });
  afterAll(() => running.disposeAsync());

  it.each(Object.entries({ ...visits, ...faults, ...ofTheCatalogue, ...operatorVisits }))(
    "%s",
    { timeout },
    (_, act) => browser.visit((page) => act(page, baseUrl)),
  );
  it("textIsOnlyText", { timeout }, () =>
    browser.visit(async (page) => {
      expect(await textIsOnlyText(page, baseUrl, sample)).toBeGreaterThan(sample.length / 2);
    }),
  );
  it("deadLetterIsRedriven", { timeout }, () =>
    browser.visit((page) => deadLetterIsRedriven(page, baseUrl, () => spoilOne(databaseUrl))),
  );
});

/** Takes the next order's message as shipping would, and gives it up. */
async function spoilOne(databaseUrl: string): Promise<void> {
  await using bus = await openBus({ databaseUrl, name: "spoiler", log: silentLogger });
  const spoiled = Promise.withResolvers<void>();
  await using _ = await bus.consume("orders", {
    name: "spoiler",
    log: silentLogger,
    async handle(batch) {
      spoiled.resolve();
      return batch.map(() => ({ kind: "dead-letter", reason: "there is no such street" }));
    },
  });
  await spoiled.promise;
}
