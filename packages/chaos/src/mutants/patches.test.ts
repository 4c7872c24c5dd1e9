/** A patch whose text is no longer in the product would change nothing, and its mutant would count as not caught. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import type { Patch } from "./patch-source.ts";
import { applyPatch } from "./patch-source.ts";
import { patches } from "./patches.ts";

const all: [string, Patch][] = Object.entries(patches);

it.each(all)("%s still finds what it changes", async (_, patch) => {
  const url = new URL(`../../../../${patch.file}`, import.meta.url);
  const source = await readFile(url, "utf8");
  expect(applyPatch(patch, source)).not.toBe(source);
});

it("says what it did not find", () => {
  const patch = { file: "a.ts", replacements: [{ find: "gone", replace: "" }] };
  expect(() => applyPatch(patch, "here")).toThrow(/a\.ts: found 0 times.*gone/);
});
