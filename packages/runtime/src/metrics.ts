import { collectDefaultMetrics, Registry } from "prom-client";
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
    collectDefaultMetrics({ register: registry });
    registry.registerMetric(escapedErrors);
    registry.registerMetric(lostLines);
  }
  return registry;
}
