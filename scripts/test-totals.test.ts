import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TestResult } from "./test-results.ts";
import { resultFile } from "./test-results.ts";
import { totalLine, totalResult } from "./test-totals.ts";

const repository = join(import.meta.dirname, "..");

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "smartcart-totals-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("adds up the packages that have tests", () => {
  addPackage("gen", {});
  addPackage("packages/order", { passed: 3, failed: ["order.test.ts > pays"] });
  addPackage("packages/bus", { passed: 4, skipped: ["rabbitmq.test.ts > redrives"] });
  const total = totalResult(root);
  expect(totalLine(total)).toBe("7 passed, 1 failed, 1 skipped");
  expect(total.failed).toEqual(["packages/order: order.test.ts > pays"]);
  expect(total.skipped).toEqual(["packages/bus: rabbitmq.test.ts > redrives"]);
});

test("a package whose tests left no result is a failure", () => {
  addPackage("packages/order", { passed: 3 });
  addPackage("packages/bus", { passed: 4 });
  rmSync(resultFile(root, "packages/bus"));
  expect(totalLine(totalResult(root))).toBe("3 passed, 1 failed");
});

test("a package with test files but no test script is a failure", () => {
  addPackage("packages/order", {});
  write("packages/order/src/order.test.ts", "");
  expect(totalLine(totalResult(root))).toBe("0 passed, 1 failed");
});

test("what vitest ran is counted, also what failed outside of a test", () => {
  write("passes.test.ts", 'test("passes", () => {});');
  write("fails.test.ts", 'test("fails", () => { throw new Error("no"); });');
  write("skips.test.ts", 'test.skip("is skipped", () => {});');
  write("loads.test.ts", 'import "./missing.ts";');
  write(
    "hook.test.ts",
    'beforeAll(() => { throw new Error("no"); }); test("not reached", () => {});',
  );
  write("late.test.ts", 'test("ends early", async () => { setTimeout(fail); await pause(); });');
  write(
    "dies.test.ts",
    'test("dies", () => { process.kill(process.pid, "SIGKILL"); return pause(); });',
  );
  const file = join(root, "result.json");
  runVitest(file);

  const { passed, failed, skipped } = JSON.parse(readFileSync(file, "utf8")) as TestResult;
  expect(passed).toBe(2);
  expect(skipped.toSorted()).toEqual(["hook.test.ts > not reached", "skips.test.ts > is skipped"]);
  expect(failed.toSorted()).toEqual([
    "fails.test.ts > fails",
    "hook.test.ts (outside of its tests)",
    "loads.test.ts (outside of its tests)",
    expect.stringMatching(/^unhandled: .*[Ww]orker/),
    "unhandled: late",
  ]);
});

/** Runs vitest on the test files in `root`, in globals mode, so that a test file can be one line. */
function runVitest(file: string): void {
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  const reporter = join(import.meta.dirname, "test-results.ts");
  write(
    "setup.ts",
    "globalThis.pause = () => new Promise((done) => setTimeout(done, 100)); globalThis.fail = () => { throw new Error('late'); };",
  );
  write(
    "vitest.config.ts",
    `import { createResultReporter } from ${JSON.stringify(reporter)};
     export default { test: {
       globals: true, include: ["*.test.ts"], setupFiles: ["setup.ts"],
       reporters: [createResultReporter(${JSON.stringify(file)})],
     } };`,
  );
  const vitest = join(repository, "node_modules/vitest/vitest.mjs");
  const run = spawnSync(process.execPath, [vitest, "run"], { cwd: root });
  expect(run.status).toBe(1);
}

function addPackage(
  folder: string,
  given: { passed?: number; failed?: string[]; skipped?: string[] },
): void {
  const tested = Object.keys(given).length > 0;
  write(
    `${folder}/package.json`,
    JSON.stringify({ scripts: tested ? { test: "vitest run" } : {} }),
  );
  if (!tested) return;
  const file = resultFile(root, folder);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ passed: 0, failed: [], skipped: [], ...given }));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
