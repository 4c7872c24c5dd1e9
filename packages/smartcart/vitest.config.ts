import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    // Many processes of ours share the machine with those of other packages' tests.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: "test/build-page-once.ts",
    // crash.test.ts has many tests that mostly wait; it bounds by itself how many processes run at once.
    maxConcurrency: 32,
  },
});
