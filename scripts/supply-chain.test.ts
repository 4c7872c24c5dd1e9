/** What is installed is known: by its hash, by its scripts, and in the bill of materials. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Locked {
  readonly version?: string;
  readonly name?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

interface Component {
  readonly name: string;
  readonly purl: string;
  readonly "bom-ref": string;
}

const root = join(import.meta.dirname, "..");
const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));
const locked = Object.entries(readJson("package-lock.json").packages as Record<string, Locked>);
/** Packages of others, by the path that they are installed at. */
const installed = locked.filter(([path, { link }]) => path.includes("node_modules/") && !link);

function nameOf([path, { name }]: [string, Locked]): string {
  return name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

test("every package has a hash", () => {
  expect(installed.length).toBeGreaterThan(200);
  expect(installed.filter(([, { integrity }]) => !integrity).map(nameOf)).toEqual([]);
});

test("package.json names every package with an install script, and no other", () => {
  const withScript = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(nameOf);
  const { allowScripts } = readJson("package.json") as { allowScripts: Record<string, boolean> };
  expect(Object.keys(allowScripts).sort()).toEqual([...new Set(withScript)].sort());
});

test("npm run sbom writes a CycloneDX document with every package", () => {
  const text = execFileSync("npm", ["run", "--silent", "sbom"], { cwd: root, maxBuffer: 2 ** 26 });
  const bom = JSON.parse(text.toString());
  expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.5" });
  const components = bom.components as readonly Component[];
  // By the name in the registry: an alias has another one.
  const listed = new Set(components.map((one) => one["bom-ref"]));
  const missing = installed.map((one) => `${nameOf(one)}@${one[1].version}`);
  expect(missing.filter((one) => !listed.has(one))).toEqual([]);
  for (const { name, purl } of components.filter((one) => !one.name.startsWith("@smartcart/"))) {
    expect(purl, name).toMatch(/^pkg:npm\//);
  }
  const references = new Set([bom.metadata.component, ...components].map((one) => one["bom-ref"]));
  for (const { ref, dependsOn = [] } of bom.dependencies) {
    for (const one of [ref, ...dependsOn]) expect(references).toContain(one);
  }
});
