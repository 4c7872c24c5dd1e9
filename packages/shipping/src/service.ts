/** Builds the shipping service from its dependencies. */
import { join, resolve } from "node:path";
import type { Transport } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { observeBus } from "@smartcart/bus";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { createFaultSwitch, startServer } from "@smartcart/mesh";
import type { Logger, Registry, RunningService } from "@smartcart/runtime";
import { Counter, createMetrics, StartError, stateDirectory } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import type { ShippingConfig } from "./config.ts";
import { startDispatcher } from "./dispatcher.ts";
import { startOrderPlacedConsumer } from "./order-placed-consumer.ts";
import { startPausable } from "./pausable.ts";
import { createShippingRoutes } from "./routes.ts";
import { openShipmentLogFile } from "./shipment-log-file.ts";

/** What the shipping service is built from. */
export interface ShippingOptions {
  readonly config: ShippingConfig;
  /** A PostgreSQL 15 or later; the service keeps everything in its schema `shipping`. */
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** A running shipping service. */
export interface RunningShipping extends RunningService {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/**
 * Brings the schema up to date, then consumes, ships and serves. Disposing it finishes the batches under way; what is not
 * done by then is in the table and the queue, for the next process.
 */
export async function startShipping(o: ShippingOptions): Promise<RunningShipping> {
  const { config, log, metrics = createMetrics("shipping") } = o;
  const bus = observeBus(o.bus, metrics);
  // What was started is undone in reverse order: by a failed start at once, else when the service is disposed.
  await using starting = new AsyncDisposableStack();
  requireShare(config.SHIPPING_FAILURE_RATE);
  const startLog = await openShipmentLogFile(logFileOf(config), log);
  const database = starting.use(
    createDatabase({ url: o.databaseUrl, schema: "shipping", log, metrics }),
  );
  const directory = new URL("../migrations/", import.meta.url);
  await migrate(database, { name: "shipping", directory });

  const count = countShipments(metrics);
  const now = () => new Date();
  const pollMs = config.SHIPPING_POLL_MS;
  const dispatcher = starting.use(
    startDispatcher({
      bus,
      database,
      log,
      pollMs,
      now,
      onShipped: (shipped) => count("shipped", shipped),
    }),
  );
  const delay = createFaultSwitch({
    name: "delay",
    title: "Let every parcel leave later",
    max: 10_000,
    unit: "ms",
  });
  const consumer = starting.use(
    await startPausable(() =>
      startOrderPlacedConsumer({
        bus,
        database,
        log,
        startLog,
        now,
        delayMs: () => config.SHIPPING_DELAY_MS + delay.value(),
        failureRate: config.SHIPPING_FAILURE_RATE,
        retentionDays: config.ORDER_RETENTION_DAYS,
        onStarted(started, leavesAfterMs) {
          count("started", started);
          dispatcher.runWithin(Math.max(pollMs, leavesAfterMs));
        },
      }),
    ),
  );
  const stop = createFaultSwitch({
    name: "stop",
    title: "Begin no shipment",
    onTurn: (value) => (value === 1 ? consumer.pause() : consumer.resume()),
  });
  const server = starting.use(
    await startServer({
      name: "shipping",
      port: config.SHIPPING_PORT,
      portVariable: "SHIPPING_PORT",
      host: config.HOST,
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      services: [ShippingService],
      routes: (router) => router.service(ShippingService, createShippingRoutes(database)),
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      faultSwitches: config.SMARTCART_DEMO ? [delay, stop] : undefined,
      checks: {
        database: () => database.ping(),
        bus: () => bus.check(),
        async orders() {
          if (!consumer.ready()) throw new Error("the consumer of queue orders is not attached");
        },
      },
    }),
  );
  const running = starting.move();
  return {
    name: "shipping",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function requireShare(rate: number): void {
  if (rate >= 0 && rate <= 1) return;
  const variable = "SHIPPING_FAILURE_RATE";
  throw new StartError(`${variable}: ${rate} is not a share; set it to 0 (none fails) up to 1`, {
    variable,
  });
}

function logFileOf({ SHIPPING_LOG_FILE, SMARTCART_STATE, XDG_STATE_HOME }: ShippingConfig): string {
  if (SHIPPING_LOG_FILE !== undefined) return resolve(SHIPPING_LOG_FILE);
  return join(stateDirectory({ SMARTCART_STATE, XDG_STATE_HOME }), "shipping.log");
}

function countShipments(metrics: Registry): (event: "started" | "shipped", by: number) => void {
  const counter = new Counter({
    name: "smartcart_shipments_total",
    help: "Shipments that began (event=started) and left (event=shipped).",
    labelNames: ["event"],
    registers: [metrics],
  });
  return (event, by) => counter.inc({ event }, by);
}
