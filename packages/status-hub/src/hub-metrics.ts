import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import type { Registry } from "@smartcart/runtime";
import { Counter, Gauge, Histogram } from "@smartcart/runtime";
import type { Admission } from "./admission.ts";
import type { Hub } from "./hub.ts";

/** What the hub counts. */
export interface HubMetrics {
  /** Live events were sent to their subscribers. */
  published(events: readonly OrderStatusChanged[]): void;
  /** A client was sent a resync frame: it has to read the history itself. */
  resynced(): void;
  /** A live event was dropped, since no frame can hold it. */
  dropped(): void;
  /** A client was closed because it was too slow. */
  slow(): void;
  /** Shows how many are connected and what they follow. */
  observe(o: { readonly hub: Hub; readonly admission: Admission }): void;
}

/** Counters of one hub in `registers`. */
export function createHubMetrics(registry: Registry): HubMetrics {
  const registers = [registry];
  const delay = new Histogram({
    name: "smartcart_status_delay_seconds",
    help: "From a status becoming true until the hub has handed it to its sockets.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const resyncs = new Counter({
    name: "smartcart_status_resyncs_total",
    help: "Resync frames sent to clients.",
    registers,
  });
  const dropped = new Counter({
    name: "smartcart_status_dropped_events_total",
    help: "Live events that no frame can hold.",
    registers,
  });
  const slow = new Counter({
    name: "smartcart_status_slow_clients_total",
    help: "Clients that were closed because too much waited for them.",
    registers,
  });
  return {
    published(events) {
      const now = Date.now();
      for (const { occurredAt } of events) {
        if (occurredAt) delay.observe(Math.max(0, now - timestampMs(occurredAt)) / 1000);
      }
    },
    resynced: () => resyncs.inc(),
    dropped: () => dropped.inc(),
    slow: () => slow.inc(),
    observe: ({ hub, admission }) => observe(registers, hub, admission),
  };
}

function observe(registers: Registry[], hub: Hub, admission: Admission): void {
  new Gauge({
    name: "smartcart_status_connections",
    help: "Open WebSockets.",
    registers,
    collect() {
      this.set(admission.connections);
    },
  });
  new Gauge({
    name: "smartcart_status_topics",
    help: "Orders and users with at least one subscriber.",
    labelNames: ["kind"],
    registers,
    collect() {
      this.set({ kind: "order" }, hub.topics.orders);
      this.set({ kind: "user" }, hub.topics.users);
    },
  });
}
