/**
 * The check of the layers, on a small repository in which each rule is broken once, in a module that bears the
 * rule's name, and on this repository.
 */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LayerReport } from "./cruise-layers.ts";
import { cruiseLayers } from "./cruise-layers.ts";
import { rules } from "./rules.ts";

const check = join(import.meta.dirname, "check.ts");
const repository = join(import.meta.dirname, "../..");

describe("a repository with bad imports", () => {
  let root: string;
  let report: LayerReport;

  beforeAll(async () => {
    root = createBadRepository();
    report = await cruiseLayers(root);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test.each(rules.map((rule) => rule.name))("%s is reported", (rule) => {
    const culprits = report.violations.filter((violation) => violation.rule === rule);
    expect(culprits).not.toEqual([]);
    for (const { from } of culprits) expect(basename(from)).toMatch(`${rule}.`);
  });

  test("a circle of types alone is one, too", () => {
    const circles = report.violations.filter(({ rule }) => rule === "no-cycle");
    const culprits = circles.map(({ from }) => basename(from));
    expect(culprits).toContainEqual(expect.stringMatching(/^no-cycle\.types/));
  });

  test("allowed imports are not reported", () => {
    expect(report.violations.filter(({ from }) => basename(from).startsWith("allowed."))).toEqual(
      [],
    );
  });

  test("the command names the import and fails", async () => {
    const run = promisify(execFile)(process.execPath, [check, root]);
    await expect(run).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "services-apart: packages/order/src/services-apart.ts -> packages/inventory/src/index.ts",
      ),
    });
  });
});

test("a repository in which nothing can be read fails", async () => {
  const root = mkdtempSync(join(tmpdir(), "smartcart-layers-"));
  try {
    for (const folder of ["gen", "packages", "scripts", "web"]) mkdirSync(join(root, folder));
    await expect(promisify(execFile)(process.execPath, [check, root])).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining("0 modules read"),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("this repository is read whole", async () => {
  const report = await cruiseLayers(repository);
  expect(report.filesMissed).toEqual([]);
  expect(report.modulesRead).toBeGreaterThan(200);
});

/** A copy of the fixture outside of this repository, installed the way npm does it: links below node_modules. */
function createBadRepository(): string {
  const root = mkdtempSync(join(tmpdir(), "smartcart-layers-"));
  cpSync(join(import.meta.dirname, "fixture"), root, { recursive: true });
  const folders = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  for (const folder of ["gen", "web", ...folders]) {
    const name = `@smartcart/${basename(folder)}`;
    writeJson(join(root, folder, "package.json"), {
      name,
      exports: { ".": "./src/index.ts", "./contract": "./src/contract.ts" },
      dependencies: { "npm-library": "1.0.0" },
      devDependencies: { "dev-tool": "1.0.0" },
    });
    mkdirSync(join(root, "node_modules/@smartcart"), { recursive: true });
    symlinkSync(join(root, folder), join(root, "node_modules", name));
  }
  writeJson(join(root, "package.json"), { name: "bad", workspaces: ["gen", "web", "packages/*"] });
  for (const name of ["npm-library", "dev-tool", "stranger"]) {
    writeJson(join(root, "node_modules", name, "package.json"), { name, main: "index.js" });
    writeFileSync(join(root, "node_modules", name, "index.js"), "");
  }
  return root;
}

function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value));
}
