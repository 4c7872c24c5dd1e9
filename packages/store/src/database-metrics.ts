import type pg from "pg";
import type { Registry } from "@smartcart/runtime";
import { Gauge, Histogram } from "@smartcart/runtime";

/** What a database reports about itself. */
export interface DatabaseMetrics {
  /** `outcome` is "commit", "rollback" or "retry". */
  transaction(owner: string, outcome: string, startedAtMs: number): void;
}

/** Without a registry nothing is measured. */
export function createDatabaseMetrics(
  pool: pg.Pool,
  schema: string,
  registry: Registry | undefined,
): DatabaseMetrics {
  if (!registry) return { transaction() {} };
  new Gauge({
    name: `store_${schema}_connections`,
    help: "Database connections by state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      this.set({ state: "idle" }, pool.idleCount);
      this.set({ state: "used" }, pool.totalCount - pool.idleCount);
      this.set({ state: "waited_for" }, pool.waitingCount);
    },
  });
  const seconds = new Histogram({
    name: `store_${schema}_transaction_seconds`,
    help: "Time from BEGIN to the end of a transaction, by its owner and outcome",
    labelNames: ["owner", "outcome"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers: [registry],
  });
  return {
    transaction: (owner, outcome, startedAtMs) =>
      seconds.observe({ owner, outcome }, (performance.now() - startedAtMs) / 1000),
  };
}
