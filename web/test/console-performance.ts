/**
 * Measures the console in a real Chromium under a scripted load: `npm run console-performance -w web [folder of the built
 * page]`. Prints frames a second, the longest frame and the JavaScript heap; it asserts nothing.
 */
import { join } from "node:path";
import type { CDPSession, Page } from "playwright-core";
import { launchChromium, openTestPage } from "./chromium.ts";
import { startFakeOps } from "./fake-ops.ts";
import { openConsole } from "./visitor.ts";

const measuredSeconds = 15;
const load = { ordersPerSecond: 200, ordersOnTheWay: 2_000 };

await using fake = await startFakeOps({
  page: process.argv[2] ?? join(import.meta.dirname, "../dist"),
  ...load,
});
const browser = await launchChromium();
{
  await using visitor = await openTestPage(browser, { reducedMotion: "no-preference" });
  const { page } = visitor;
  // What this machine can do at most, beside whatever else it does.
  await page.goto(new URL("/orders", fake.url).href);
  const still = await countFrames(page);
  await openConsole(page, fake.url);
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  await page.locator(".log-line").first().waitFor();
  await session.send("Performance.enable");
  const busyBefore = await busySeconds(session);
  const frames = await countFrames(page);
  const busy = ((await busySeconds(session)) - busyBefore) / measuredSeconds;
  const used = async (): Promise<number> =>
    (await session.send("Runtime.getHeapUsage")).usedSize / 1e6;
  const before = await used();
  await session.send("HeapProfiler.collectGarbage");
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  process.stdout.write(
    [
      `load            ${load.ordersPerSecond} orders/s, ${load.ordersOnTheWay} on their way`,
      `frames          ${(frames.count / measuredSeconds).toFixed(1)}/s, the longest took ${frames.longestMs.toFixed(0)} ms`,
      `a still page    ${(still.count / measuredSeconds).toFixed(1)}/s, the longest took ${still.longestMs.toFixed(0)} ms`,
      `main thread     busy for ${(busy * 100).toFixed(0)} % of the time`,
      `JavaScript heap ${before.toFixed(1)} MB, ${(await used()).toFixed(1)} MB without garbage`,
      `elements        ${elements}`,
      `console errors  ${visitor.errors.length}`,
      "",
    ].join("\n"),
  );
}
await browser.close();

/** Draws nothing itself, and counts the frames that the browser finds time for. */
function countFrames(page: Page): Promise<{ count: number; longestMs: number }> {
  return page.evaluate(
    (seconds) =>
      new Promise((resolve) => {
        const begin = performance.now();
        let [count, longestMs, last] = [0, 0, begin];
        const frame = (): void => {
          const now = performance.now();
          count += 1;
          longestMs = Math.max(longestMs, now - last);
          last = now;
          if (now - begin < seconds * 1_000) requestAnimationFrame(frame);
          else resolve({ count, longestMs });
        };
        requestAnimationFrame(frame);
      }),
    measuredSeconds,
  );
}

/** How long the page's main thread has worked so far. */
async function busySeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  if (process.env.VERBOSE) process.stdout.write(`${JSON.stringify(metrics)}\n`);
  return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
}
