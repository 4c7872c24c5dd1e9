import type { Registry } from "@smartcart/runtime";
import { Counter } from "@smartcart/runtime";

/** Counters of one bus in `registry`; the operations console reads them (mesh, `edge-metrics.ts`). */
export function createBusMetrics(registry: Registry) {
  return {
    /** Events by the answer of their publish. */
    published: counter(registry, "smartcart_bus_published_total", "Events published, by result.", [
      "result",
    ]),
    /** Deliveries by queue and what became of them: ack, retry, dead-letter, drop. */
    handled: counter(
      registry,
      "smartcart_bus_handled_total",
      "Deliveries by queue and what became of them.",
      ["queue", "result"],
    ),
  };
}

/** Counters of one relay in `registry`. */
export function createRelayMetrics(registry: Registry | undefined) {
  return {
    relayed: counter(registry, "smartcart_outbox_relayed_total", "Outbox rows confirmed.", []),
    failed: counter(registry, "smartcart_outbox_failed_total", "Outbox rows given back.", []),
  };
}

function counter<L extends string>(
  registry: Registry | undefined,
  name: string,
  help: string,
  labelNames: readonly L[],
): Counter<L> {
  // Several consumers or relays of one process share a registry, and so the counter in it.
  const known = registry?.getSingleMetric(name) as Counter<L> | undefined;
  return known ?? new Counter<L>({ name, help, labelNames, registers: registry ? [registry] : [] });
}
