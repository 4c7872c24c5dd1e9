import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    isolate: true,
    testTimeout: 60_000,
    // The first test of a run may have to start a broker and a database server.
    hookTimeout: 120_000,
  },
});
