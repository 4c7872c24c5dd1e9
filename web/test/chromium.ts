import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { chromium } from "playwright-core";

/** A page in a browser of its own, and what went wrong in it. */
export interface TestPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console and of scripts so far, and whatever the content security policy refused. */
  readonly errors: readonly string[];
}

/** Where Debian has it. */
const defaultChromium = "/usr/bin/chromium";

/**
 * The pages that Chromium draws its own address bar with: a process for each window, which took a third of the tests' processor time.
 * The rest is Playwright's list, which this one replaces.
 */
const disabledFeatures = [
  ...["WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"],
  ...["AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"],
  ...["HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "OptimizationHints"],
  ...["ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "PreconnectToSearch"],
  ...["NetworkTimeServiceQuerying", "AimEnabled"],
];

/** Starts an installed Chromium: CHROMIUM_PATH, or Debian's. Close it when done. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || defaultChromium,
    args: [
      ...["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"],
      `--disable-features=${disabledFeatures.join(",")}`,
    ],
  });
}

/**
 * Opens a fresh visitor: nothing stored, nothing cached.
 *
 * @param options Default: 1280 × 900, light, reduced motion, so that no animation is waited for.
 */
export async function openTestPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<TestPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // A refused order is an answer of the shop, and a hub that is away is what the page is to cope with; that Chromium
    // logs each of them is none of the page's errors.
    const answer = /^(Failed to load resource|WebSocket connection to )/.test(message.text());
    if (message.type() === "error" && !answer) errors.push(message.text());
  });
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}
