/** Builds the notification service from its dependencies. */
import type { Transport } from "@connectrpc/connect";
import type { EventBus, Relay } from "@smartcart/bus";
import { createFaultInjectingBus, observeBus, outboxMigrations, startRelay } from "@smartcart/bus";
import type { FaultSwitch } from "@smartcart/mesh";
import { createFaultSwitch, startServer } from "@smartcart/mesh";
import type { Logger, Registry, RunningService } from "@smartcart/runtime";
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
export interface RunningNotification extends RunningService {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/**
 * Relays what the order service puts into its outbox to the queue: each event at least once, those of one order in their
 * order. Any number of replicas may run. Disposing it finishes the batch under way.
 */
export async function startNotification(o: NotificationOptions): Promise<RunningNotification> {
  const { config, log, metrics = createMetrics("notification") } = o;
  const cuttable = createFaultInjectingBus(o.bus);
  const bus = observeBus(cuttable.bus, metrics);
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
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      services: [],
      routes: () => {},
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      gauges: async () => ({ "outbox.pending": await relay.pending() }),
      faultSwitches: config.SMARTCART_DEMO ? [cutSwitch(cuttable.cut)] : undefined,
      checks: { database: () => database.ping(), bus: () => bus.check() },
    }),
  );
  const running = starting.move();
  return {
    name: "notification",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What is to be published waits in the outbox meanwhile; nothing is lost. */
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
