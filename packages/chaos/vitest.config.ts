import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    // Each file runs a dozen processes of its own: one after the other.
    fileParallelism: false,
    isolate: true,
    // Concurrent tests of one file, such as the mutants, mostly wait.
    maxConcurrency: 2,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
