/** What an operator does at the console, in a real browser: at one that is fed by a script, and with services that can be killed. */
import type { BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createTestDatabase, spawnService } from "@smartcart/testkit";
import type { FakeOps } from "@smartcart/web/test/fake-ops";
import { startFakeOps } from "@smartcart/web/test/fake-ops";
import * as processVisits from "@smartcart/web/test/process-scenarios";
import * as scripted from "@smartcart/web/test/scripted-console-scenarios";
import type { TestBrowser } from "./browser.ts";
import { noBrowser, startTestBrowser, visitTimeout as timeout } from "./browser.ts";
import { serviceProcesses, startServiceProcesses } from "./service-processes.ts";

const { tokenOpensTheConsole, ...scriptedVisits } = scripted;
const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 } };
const onPhone = new Set(["consoleFitsThePhone"]);

describe.skipIf(noBrowser)("in a browser", () => {
  let browser: TestBrowser;

  beforeAll(async () => {
    browser = await startTestBrowser();
  });
  afterAll(() => browser?.[Symbol.asyncDispose]());

  describe("an operator at a console by a script", () => {
    it.each(Object.entries(scriptedVisits))("%s", { timeout }, async (name, act) => {
      await using fake: FakeOps = await startFakeOps({ page: browser.page });
      await browser.visit((page) => act(page, fake), onPhone.has(name) ? phone : {});
    });

    it("tokenOpensTheConsole", { timeout }, async () => {
      await using fake = await startFakeOps({ page: browser.page, token: "open sesame" });
      await browser.visit((page) => tokenOpensTheConsole(page, fake, "open sesame"));
    });
  });

  describe("with services that can be killed", () => {
    it(Object.keys(processVisits).join(", "), { timeout: 300_000 }, async () => {
      await using database = await createTestDatabase();
      await using running = await startServiceProcesses({
        databaseUrl: database.url,
        amqpUrl: undefined,
      });
      const baseUrl = running.urls.web ?? "";
      await using revived = new AsyncDisposableStack();
      const hub = {
        async kill() {
          running.processes["status-hub"].kill("SIGKILL");
          await running.processes["status-hub"].exited;
        },
        async revive() {
          const { order = "", "status-hub": url = "" } = running.urls;
          const env = {
            DATABASE_URL: database.url,
            ORDER_URL: order,
            STATUS_PORT: new URL(url).port,
          };
          const args = serviceProcesses["status-hub"].script;
          await revived.use(spawnService({ args, env })).answers(`${url}/readyz`);
        },
      };
      const { cancelGivesBack, deadHubLosesNoStep, operatorReadsAndCancels } = processVisits;
      const { orderLeadsToItsLogLines } = processVisits;
      await browser.visit((page) => orderLeadsToItsLogLines(page, baseUrl));
      await browser.visit((page) => deadHubLosesNoStep(page, baseUrl, hub));
      running.processes.notification.kill("SIGKILL");
      await running.processes.notification.exited;
      await browser.visit((page) => cancelGivesBack(page, baseUrl));
      await browser.visit((page) => operatorReadsAndCancels(page, baseUrl));
    });
  });
});
