import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

interface Axe {
  run(options: RunOptions): Promise<AxeResults>;
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * Fails where axe finds a serious or critical fault on the page as it stands, in light or in dark.
 *
 * @param isStrict Fails where it finds anything. Default: false.
 */
export async function assertAccessible(page: Page, name: string, isStrict = false): Promise<void> {
  const axe = await readFile(axePath, "utf8");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    // By the debugger, past the content security policy, which rightly lets no script in.
    await page.evaluate(axe);
    // Of all that axe looks at, only the contrast differs in the dark.
    const options: RunOptions = colorScheme === "light" ? {} : { runOnly: ["color-contrast"] };
    const { violations } = await page.evaluate(
      (o) => (globalThis as unknown as { axe: Axe }).axe.run(o),
      options,
    );
    const faults = violations
      .filter(({ impact }) => isStrict || impact === "serious" || impact === "critical")
      .map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join("\n    ")}`,
      );
    assert.deepEqual(faults, [], `${name}, ${colorScheme}`);
  }
}
