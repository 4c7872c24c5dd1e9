/** Builds the notification service from its dependencies. */
import type { Relay } from "@smartcart/bus";
import { createFaultInjectingBus, outboxMigrations, startRelay } from "@smartcart/bus";
import type { FaultSwitch } from "@smartcart/mesh";
import { createFaultSwitch } from "@smartcart/mesh";
import type { Registry } from "@smartcart/runtime";
import { Gauge } from "@smartcart/runtime";
import type { RunningService, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
import type { NotificationConfig } from "./config.ts";

/** What the notification service is built from; of the order service's schema `orders`, only the table `outbox` is touched. */
export type NotificationOptions = ServiceOptions<NotificationConfig>;

/**
 * Relays what the order service puts into its outbox to the queue: each event at least once, those of one order in their
 * order. Any number of replicas may run. Disposing it finishes the batch under way.
 */
export function startNotification(o: NotificationOptions): Promise<RunningService> {
  const { config, databaseUrl: url, log } = o;
  const definition = { name: "notification", portVariable: "NOTIFICATION_PORT", ...o } as const;
  return startService(definition, async ({ metrics, stack, openDatabase, observeBus }) => {
    const faultInjecting = createFaultInjectingBus(o.bus);
    const database = await openDatabase({
      url,
      schema: "orders",
      // The order service applies the same set: whichever of the two starts first.
      migrations: [outboxMigrations],
      // The relay claims, publishes and deletes one after the other; readiness and metrics ask beside it.
      maxConnections: 4,
    });
    const bus = observeBus(faultInjecting.bus);
    const pollMs = config.NOTIFICATION_POLL_MS;
    const relay = stack.use(startRelay({ database, bus, log, pollMs, metrics }));
    measurePending(relay, metrics);
    return {
      gauges: async () => ({
        "outbox.pending": await relay.pending(),
        "outbox.age_s": Math.floor((await relay.ageMs()) / 1_000),
      }),
      faultSwitches: [cutSwitch(faultInjecting.cut)],
    };
  });
}

/** Messages to publish stay in the outbox meanwhile; none is lost. */
function cutSwitch(cut: (isCut: boolean) => void): FaultSwitch {
  return createFaultSwitch({
    name: "cut",
    title: "Cut the connection to the queue",
    onTurn: (value) => cut(value === 1),
  });
}

function measurePending(relay: Relay, metrics: Registry): void {
  new Gauge({
    name: "smartcart_outbox_pending",
    help: "Events in the outbox of the orders that the queue has not confirmed.",
    registers: [metrics],
    async collect() {
      this.set(await relay.pending());
    },
  });
}
