/**
 * A vitest reporter that leaves the result of one package's run in a file, for test-totals.ts. Vitest's own JSON
 * reporter says nothing about errors outside of a test, and counts no failure where a hook failed or a process died.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

/** What one package's tests did. Tests are named as a reader finds them: file > suite > test. */
export interface TestResult {
  readonly passed: number;
  /** Tests that failed, files that failed outside of their tests, and errors that no test caught. */
  readonly failed: readonly string[];
  /** Tests that were not run. */
  readonly skipped: readonly string[];
}

/** Where the result of the package in `folder` ("packages/order") is kept. */
export function resultFile(root: string, folder: string): string {
  return join(root, ".turbo", "test-results", `${folder.replaceAll(/[\\/]/g, "-")}.json`);
}

/** Writes a TestResult to `file` when a run ends; a run that dies leaves no file, not an old one. */
export function createResultReporter(file: string): Reporter {
  return {
    onInit: () => rmSync(file, { force: true }),
    onTestRunEnd(modules, unhandledErrors) {
      const outsideOfTests = unhandledErrors.map((error) => `unhandled: ${error.message}`);
      if (modules.length === 0) outsideOfTests.push("no test file was found");
      const result: TestResult = {
        passed: modules.flatMap((module) => testsIn(module, "passed")).length,
        failed: [...modules.flatMap(failuresIn), ...outsideOfTests],
        skipped: modules.flatMap((module) => testsIn(module, "skipped")),
      };
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
    },
  };
}

function failuresIn(module: TestModule): string[] {
  const failed = testsIn(module, "failed");
  if (failed.length > 0 || module.ok()) return failed;
  return [`${module.relativeModuleId} (outside of its tests)`];
}

function testsIn(module: TestModule, state: "passed" | "failed" | "skipped"): string[] {
  const tests = [...module.children.allTests(state)];
  return tests.map((test) => `${module.relativeModuleId} > ${test.fullName}`);
}
