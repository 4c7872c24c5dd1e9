/** How customers sign in on the page, in a real browser: by name, at an OpenID provider, and not at all. */
import { existsSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDevelopmentIssuer } from "@smartcart/identity";
import { waitFor } from "@smartcart/testkit";
import { launchChromium, openTestPage } from "@smartcart/web/test/browser-scenarios";
import * as scenarios from "@smartcart/web/test/sign-in-scenarios";
import { buildPage } from "../src/web/build-page.ts";
import { audience, clientId, startOpenIdProvider } from "./openid-provider.ts";
import { startStack } from "./stack.ts";

const noBrowser = !existsSync(process.env.CHROMIUM_PATH || "/usr/bin/chromium");
const timeout = 180_000;

describe.skipIf(noBrowser)("signing in on the page", { timeout }, () => {
  const running = new AsyncDisposableStack();
  let browser: Browser;
  let page: string;

  beforeAll(async () => {
    page = await buildPage();
    browser = await launchChromium();
    running.defer(() => browser.close());
  });
  afterAll(() => running.disposeAsync());

  async function visit(act: (page: Page) => Promise<unknown>): Promise<void> {
    await using visitor = await openTestPage(browser);
    await act(visitor.page);
    expect(visitor.errors).toEqual([]);
  }

  it("by name where tokens are required: one's own orders and no others", async () => {
    await using stack = await startStack({ page, env: { AUTH_OPTIONAL: "false" } });
    const { web = "" } = stack.urls;
    await visit((page) => scenarios.nameIsASignIn(page, web));
    await visit((page) => scenarios.refusedTokenIsReplaced(page, web));
    await visit((page) => scenarios.expiredConnectionIsRenewed(page, web));
    await visit((page) => scenarios.orderAsksWhoIsThere(page, web));
  });

  it("at an OpenID provider: there and back, buy, watch, sign out", async () => {
    await using provider = await startOpenIdProvider();
    const env = {
      AUTH_ISSUER: provider.issuer,
      AUTH_JWKS_URL: provider.jwksUrl,
      AUTH_AUDIENCE: audience,
      AUTH_CLIENT_ID: clientId,
    };
    await using stack = await startStack({ page, env });
    const { web = "" } = stack.urls;
    provider.register(web);
    const tokenOrigin = provider.issuer.replace("127.0.0.1", "localhost");
    await waitFor(
      async () => {
        const { headers } = await fetch(web);
        return headers.get("content-security-policy")?.includes(` ${tokenOrigin};`);
      },
      { what: "the page to know where its provider gives tokens" },
    );
    let orderId = "";
    await visit(async (page) => {
      orderId = await scenarios.signInAtProvider(page, web, "ada");
      await scenarios.expiredSignInSaysSo(page);
      await scenarios.signOutAtProvider(page, web);
    });
    await visit((page) => scenarios.otherCustomerSeesNothing(page, web, orderId));
    await visit((page) => scenarios.forgedCallbackSignsNobodyIn(page, web));
  });

  it("as an operator: the console opens without OPS_TOKEN", async () => {
    const [issuer, secret] = ["http://127.0.0.1:9", "a secret of sixteen"];
    const env = { AUTH_ISSUER: issuer, AUTH_SECRET: secret, AUTH_CLIENT_ID: clientId };
    await using stack = await startStack({ page, env });
    const issue = createDevelopmentIssuer({ issuer, secret, audience: "smartcart" });
    const tokens = {
      customer: await issue({ subject: "olga" }),
      operator: await issue({ subject: "olga", isOperator: true }),
    };
    await visit((page) => scenarios.operatorOpensTheConsole(page, stack.urls.web ?? "", tokens));
  });

  it("not at all: an open shop warns, and a closed one says that it has no sign-in", async () => {
    {
      const env = {
        HOST: "0.0.0.0",
        SMARTCART_OPEN: "yes-i-know",
        OPS_TOKEN: "open sesame please",
      };
      await using open = await startStack({ page, env });
      const { port } = new URL(open.urls.web ?? "");
      await visit((page) => scenarios.openShopWarns(page, `http://127.0.0.1:${port}`));
    }
    const env = { AUTH_ISSUER: "urn:elsewhere", AUTH_SECRET: "a secret of sixteen" };
    await using closed = await startStack({ page, env });
    await visit((page) => scenarios.shopWithoutSignInSaysSo(page, closed.urls.web ?? ""));
  });
});
