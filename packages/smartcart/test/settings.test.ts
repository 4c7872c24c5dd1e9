import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { settingsTable } from "../src/reference/settings-table.ts";

it("docs/operations.md holds the table of all settings; print it with `smartcart settings`", async () => {
  const page = await readFile(new URL("../../../docs/operations.md", import.meta.url), "utf8");
  expect(page).toContain(settingsTable());
  expect(settingsTable()).not.toContain("|  |");
});
