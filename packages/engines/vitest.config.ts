import { defineConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

export default defineConfig({
  ...shared,
  // A RabbitMQ takes several seconds to start.
  test: { ...shared.test, isolate: true, testTimeout: 60_000, hookTimeout: 120_000 },
});
