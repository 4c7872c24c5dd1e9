/** Builds the notification service from its dependencies. */
import type { EventBus, Relay } from "@smartcart/bus";
import { outboxMigrations, startRelay } from "@smartcart/bus";
import { startServer } from "@smartcart/mesh";
import type { Logger, Part, Registry } from "@smartcart/runtime";
import { createMetrics, Gauge } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import type { NotificationConfig } from "./config.ts";

/** What the notification service is built from. */
export interface NotificationOptions {
  readonly config: NotificationConfig;
  /** The database of the order service; of its schema `orders`, only the table `outbox` is touched. */
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** A running notification service. */
export interface RunningNotification extends Part {
  readonly port: number;
}

/**
 * Relays what the order service puts into its outbox to the queue: each event at least once, those of one order in their
 * order. Any number of replicas may run. Disposing it finishes the batch under way.
 */
export async function startNotification(o: NotificationOptions): Promise<RunningNotification> {
  const { config, bus, log, metrics = createMetrics("notification") } = o;
  await using starting = new AsyncDisposableStack();
  const database = starting.use(
    createDatabase({
      url: o.databaseUrl,
      schema: "orders",
      log,
      // The relay claims, publishes and deletes one after the other; readiness and metrics ask beside it.
      maxConnections: 4,
      applicationName: "notification",
      metrics,
    }),
  );
  // The order service applies the same set: whichever of the two starts first.
  await migrate(database, outboxMigrations);
  const relay: Relay = starting.use(
    startRelay({ database, bus, log, pollMs: config.NOTIFICATION_POLL_MS, metrics }),
  );
  measurePending(relay, metrics);
  const server = starting.use(
    await startServer({
      name: "notification",
      port: config.NOTIFICATION_PORT,
      portVariable: "NOTIFICATION_PORT",
      host: config.HOST,
      services: [],
      routes: () => {},
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      checks: { database: () => database.ping(), bus: () => bus.check() },
    }),
  );
  const running = starting.move();
  return {
    name: "notification",
    url: server.url,
    port: server.port,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
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
