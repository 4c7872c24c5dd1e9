import { performance } from "node:perf_hooks";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { escapedErrors } from "./escaped-errors.ts";
import { lostLines } from "./logger.ts";

export { Counter, Gauge, Histogram, Registry } from "prom-client";

let processMetricsCollected = false;

/**
 * A registry whose metrics carry the label `service`. The first one of a process also gets the process's own metrics
 * (CPU, memory, event loop, garbage collection, errors that nothing caught): they are the same for every service that shares the process.
 */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  if (!processMetricsCollected) {
    processMetricsCollected = true;
    collectProcessMetrics(registry);
    registry.registerMetric(escapedErrors);
    registry.registerMetric(lostLines);
  }
  return registry;
}

/**
 * The percentiles of the event loop's delay are left out: they are measured by waking the process a hundred times per second, which is
 * 0.4 % of a core for ever. Its utilization is counted by Node anyway.
 */
function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 2 ** 31 - 1 });
  // No answer of a port tells a version, which would tell what it is vulnerable to.
  registry.removeSingleMetric("nodejs_version_info");
  for (const statistic of ["min", "max", "mean", "stddev", "p50", "p90", "p99"]) {
    registry.removeSingleMetric(`nodejs_eventloop_lag_${statistic}_seconds`);
  }
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: "nodejs_eventloop_utilization_ratio",
    help: "Share of the time since the last scrape in which the event loop was busy, 0 to 1.",
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}
