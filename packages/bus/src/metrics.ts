import type { Registry } from "@smartcart/runtime";
import { Counter } from "@smartcart/runtime";
import type { PublishReport } from "./types.ts";

/** What a bus counts. The report of a part to the operations console is made from it (mesh, `edge-metrics.ts`). */
export interface BusMetrics {
  /** Counts the events of one publish by its answer. */
  countReport(report: PublishReport): void;
  /** Deliveries by queue and what became of them: ack, retry, dead-letter, drop. */
  readonly handled: Counter<"queue" | "result">;
}

/** Counters of one bus in `registry`. */
export function createBusMetrics(registry: Registry): BusMetrics {
  const name = "smartcart_bus_published_total";
  const published = counter(registry, name, "Events published, by result.", ["result"]);
  return {
    countReport(report) {
      for (const [result, ids] of Object.entries(report)) {
        if (ids.length > 0) published.inc({ result }, ids.length);
      }
    },
    handled: counter(
      registry,
      "smartcart_bus_handled_total",
      "Deliveries by queue and what became of them.",
      ["queue", "result"],
    ),
  };
}

/** Counters of one relay in `registry`. */
export function createRelayMetrics(registry: Registry | undefined): {
  relayed: Counter;
  failed: Counter;
} {
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
