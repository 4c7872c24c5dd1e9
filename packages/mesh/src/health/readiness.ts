import type { Logger } from "@smartcart/runtime";
import { timedOut, withTimeout } from "@smartcart/runtime";

/** Conditions by name; one that throws is not met. */
export type Checks = Readonly<Record<string, () => Promise<void>>>;

/** What /readyz answers. Causes stay in the log. */
export interface ReadinessReport {
  readonly status: "ready" | "not ready" | "draining";
  readonly checks: Readonly<Record<string, "ok" | "failed">>;
}

/** Longest time of one check. */
const checkTimeoutMs = 2000;

/** Runs all checks at once; requests that arrive while they run share the answer. */
export function createReadiness(
  checks: Checks,
  draining: AbortSignal,
  log: Logger,
): () => Promise<ReadinessReport> {
  let running: Promise<ReadinessReport> | undefined;

  async function run(): Promise<ReadinessReport> {
    const entries = Object.entries(checks).map(async ([name, check]) => {
      try {
        await withTimeout(check(), checkTimeoutMs, timedOut("no answer", checkTimeoutMs));
        return [name, "ok"] as const;
      } catch (error) {
        log.warn("readiness.failed", { check: name, error });
        return [name, "failed"] as const;
      }
    });
    const results = Object.fromEntries(await Promise.all(entries));
    const ready = Object.values(results).every((result) => result === "ok");
    return { status: ready ? "ready" : "not ready", checks: results };
  }

  return async () => {
    if (draining.aborted) {
      return { status: "draining", checks: {} };
    }
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}
