/**
 * The test settings that every package shares. A package's `vitest.config.ts` hands them on; what only one package
 * needs stays in that package.
 */
import { relative } from "node:path";
import type { ViteUserConfig } from "vitest/config";
import { createResultReporter, resultFile } from "./scripts/test-results.ts";

const root = import.meta.dirname;

export const shared = {
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    // A process for several files: to load the product anew for each took half of the processor time of most packages. Where tests
    // measure the memory of their process, or leave calls behind that run into their deadline, a package turns this on again.
    isolate: false,
    // They mostly wait, for servers to start and for time-outs to pass.
    maxWorkers: 2,
    // Real databases and brokers start in these; a slow machine must not turn that into a failure.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest runs in the folder of the package.
    reporters: ["default", createResultReporter(resultFile(root, relative(root, process.cwd())))],
  },
} satisfies ViteUserConfig;
