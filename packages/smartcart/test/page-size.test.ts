/** What a customer downloads before the shop shows anything. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildPage } from "../src/web/build-page.ts";

const maxFirstLoadBytes = 80_000;

test("the first load of the shop is at most 80 KB, compressed", async () => {
  const folder = await buildPage();
  const html = await readFile(join(folder, "index.html"), "utf8");
  const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)];
  const paths = ["/index.html", ...assets.map(([, path = ""]) => path)];
  const sizes = await Promise.all(
    paths.map(async (path) => (await readFile(join(folder, `${path}.gz`))).length),
  );
  expect(paths.length).toBeGreaterThan(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(maxFirstLoadBytes);
});
