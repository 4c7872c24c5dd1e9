/**
 * Adds up what the packages' tests did in the last run: `node scripts/test-totals.ts`. Names what failed or was
 * skipped; the last line is `N passed, N failed`, with `, N skipped` if any. Fails when a test failed, when a package
 * with tests left no result, and in CI also when a test was skipped.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestResult } from "./test-results.ts";
import { resultFile } from "./test-results.ts";

/** The results of all packages as one. */
export function totalResult(root: string): TestResult {
  const results = packagesWithTests(root).map((folder) => readResult(root, folder));
  return {
    passed: results.reduce((sum, result) => sum + result.passed, 0),
    failed: results.flatMap((result) => result.failed),
    skipped: results.flatMap((result) => result.skipped),
  };
}

/** The line that a person and CI read: `12 passed, 0 failed, 1 skipped`. */
export function totalLine({ passed, failed, skipped }: TestResult): string {
  const line = `${passed} passed, ${failed.length} failed`;
  return skipped.length > 0 ? `${line}, ${skipped.length} skipped` : line;
}

function packagesWithTests(root: string): string[] {
  const manifests = globSync("{gen,scripts,web,packages/*}/package.json", { cwd: root });
  return manifests
    .map((manifest) => dirname(manifest))
    .filter((folder) => hasTestScript(root, folder) || hasTestFiles(root, folder))
    .sort();
}

function hasTestScript(root: string, folder: string): boolean {
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return manifest.scripts?.test !== undefined;
}

function hasTestFiles(root: string, folder: string): boolean {
  const found = globSync(["*.test.ts", "{src,test}/**/*.test.ts"], { cwd: join(root, folder) });
  return found.length > 0;
}

function readResult(root: string, folder: string): TestResult {
  const file = resultFile(root, folder);
  // Counted as a failure, so that the totals never look good because something did not run.
  if (!existsSync(file))
    return { passed: 0, failed: ["(its tests left no result)"].map(within), skipped: [] };
  const result = JSON.parse(readFileSync(file, "utf8")) as TestResult;
  return { ...result, failed: result.failed.map(within), skipped: result.skipped.map(within) };

  function within(name: string): string {
    return `${folder}: ${name}`;
  }
}

if (import.meta.main) {
  const total = totalResult(join(import.meta.dirname, ".."));
  for (const name of total.failed) console.log(`failed   ${name}`);
  for (const name of total.skipped) console.log(`skipped  ${name}`);
  console.log(totalLine(total));
  const skippedInCi = Boolean(process.env.CI) && total.skipped.length > 0;
  process.exitCode = total.failed.length > 0 || skippedInCi ? 1 : 0;
}
