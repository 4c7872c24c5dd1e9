/** What people do with the page, in a real browser on the built one. The scenarios are the page's own. */
import { existsSync } from "node:fs";
import naughtyStrings from "big-list-of-naughty-strings" with { type: "json" };
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBus } from "@smartcart/bus";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, spawnService } from "@smartcart/testkit";
import * as scenarios from "@smartcart/web/test/browser-scenarios";
import * as catalogueConsoleVisits from "@smartcart/web/test/catalogue-console-scenarios";
import * as catalogueVisits from "@smartcart/web/test/catalogue-scenarios";
import * as consoleVisits from "@smartcart/web/test/console-scenarios";
import type { FakeOps } from "@smartcart/web/test/fake-ops";
import { startFakeOps } from "@smartcart/web/test/fake-ops";
import * as faults from "@smartcart/web/test/fault-scenarios";
import { textIsOnlyText } from "@smartcart/web/test/naughty-text";
import * as processVisits from "@smartcart/web/test/process-scenarios";
import * as scripted from "@smartcart/web/test/scripted-console-scenarios";
import { buildPage } from "../src/web/build-page.ts";
import { partProcesses, startPartProcesses } from "./service-processes.ts";
import { startStack } from "./stack.ts";

const { launchChromium, openTestPage, ...visits } = scenarios;
const { tokenOpensTheConsole, ...scriptedVisits } = scripted;
const { deadLetterIsRedriven, ...operatorVisits } = consoleVisits;
/** Of the Big List of Naughty Strings, all that might be markup, and some of the rest. */
const sample = naughtyStrings.filter((text, index) => /[<>&"'`]/.test(text) || index % 6 === 0);
const phone = { viewport: { width: 360, height: 740 } };
const onPhone = new Set(["consoleFitsThePhone"]);
const noBrowser = !existsSync(process.env.CHROMIUM_PATH || "/usr/bin/chromium");
const timeout = 180_000;

describe.skipIf(noBrowser)("in a browser", () => {
  const running = new AsyncDisposableStack();
  let browser: Browser;
  let page: string;

  beforeAll(async () => {
    page = await buildPage();
    browser = await launchChromium();
    running.defer(() => browser.close());
  });
  afterAll(() => running.disposeAsync());

  /** Somebody new does something, and the browser has nothing to complain of. */
  async function visit(name: string, act: (page: Page) => Promise<unknown>): Promise<void> {
    const options: BrowserContextOptions = onPhone.has(name) ? phone : {};
    await using visitor = await openTestPage(browser, options);
    await act(visitor.page);
    expect(visitor.errors).toEqual([]);
  }

  describe("a visitor and an operator", () => {
    let baseUrl: string;
    let databaseUrl: string;
    beforeAll(async () => {
      const stack = running.use(await startStack({ page, env: { SMARTCART_DEMO: "true" } }));
      baseUrl = stack.urls.web ?? "";
      databaseUrl = stack.databaseUrl;
    });
    const ofTheCatalogue = { ...catalogueVisits, ...catalogueConsoleVisits };
    it.each(Object.entries({ ...visits, ...faults, ...ofTheCatalogue, ...operatorVisits }))(
      "%s",
      { timeout },
      (name, act) => visit(name, (page) => act(page, baseUrl)),
    );
    it("textIsOnlyText", { timeout }, () =>
      visit("textIsOnlyText", async (page) => {
        expect(await textIsOnlyText(page, baseUrl, sample)).toBeGreaterThan(sample.length / 2);
      }),
    );
    it("deadLetterIsRedriven", { timeout }, () =>
      visit("deadLetterIsRedriven", (page) =>
        deadLetterIsRedriven(page, baseUrl, () => spoilOne(databaseUrl)),
      ),
    );
  });

  describe("an operator at a console by a script", () => {
    it.each(Object.entries(scriptedVisits))("%s", { timeout }, async (name, act) => {
      await using fake: FakeOps = await startFakeOps({ page });
      await visit(name, (page) => act(page, fake));
    });

    it("tokenOpensTheConsole", { timeout }, async () => {
      await using fake = await startFakeOps({ page, token: "open sesame" });
      await visit("tokenOpensTheConsole", (page) =>
        tokenOpensTheConsole(page, fake, "open sesame"),
      );
    });
  });

  describe("with parts that can be killed", () => {
    it(Object.keys(processVisits).join(", "), { timeout: 300_000 }, async () => {
      await using database = await createTestDatabase();
      await using parts = await startPartProcesses({
        databaseUrl: database.url,
        amqpUrl: undefined,
      });
      const baseUrl = parts.urls.web ?? "";
      await using revived = new AsyncDisposableStack();
      const hub = {
        async kill() {
          parts.processes["status-hub"].kill("SIGKILL");
          await parts.processes["status-hub"].exited;
        },
        async revive() {
          const { order = "", "status-hub": url = "" } = parts.urls;
          const env = {
            DATABASE_URL: database.url,
            ORDER_URL: order,
            STATUS_PORT: new URL(url).port,
          };
          const args = partProcesses["status-hub"].script;
          await revived.use(spawnService({ args, env })).answers(`${url}/readyz`);
        },
      };
      const { cancelGivesBack, deadHubLosesNoStep, operatorReadsAndCancels } = processVisits;
      const { orderLeadsToItsLogLines } = processVisits;
      await visit("orderLeadsToItsLogLines", (page) => orderLeadsToItsLogLines(page, baseUrl));
      await visit("deadHubLosesNoStep", (page) => deadHubLosesNoStep(page, baseUrl, hub));
      parts.processes.notification.kill("SIGKILL");
      await parts.processes.notification.exited;
      await visit("cancelGivesBack", (page) => cancelGivesBack(page, baseUrl));
      await visit("operatorReadsAndCancels", (page) => operatorReadsAndCancels(page, baseUrl));
    });
  });
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
