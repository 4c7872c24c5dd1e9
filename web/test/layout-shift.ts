import assert from "node:assert/strict";
import type { Page } from "playwright-core";

/** Half of what web.dev calls good: https://web.dev/articles/cls */
const maxShift = 0.05;

interface Watched {
  layoutShift: number;
}

/** Adds up how far the content of each page jumps while it loads. Call it before the first page. */
export async function watchLayoutShift(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const watched = globalThis as unknown as Watched;
    watched.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as PerformanceEntry & {
          readonly value: number;
          readonly hadRecentInput: boolean;
        };
        if (!hadRecentInput) watched.layoutShift += value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** Fails where the page jumped since it was opened. */
export async function assertStill(page: Page, name: string): Promise<void> {
  // A frame is drawn before its shifts are reported.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  const shift = await page.evaluate(() => (globalThis as unknown as Watched).layoutShift);
  assert.ok(shift < maxShift, `${name} shifts by ${shift.toFixed(3)}`);
}
