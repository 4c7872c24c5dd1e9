/** Builds the log service from its dependencies. */
import type { Transport } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { observeBus } from "@smartcart/bus";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { startServer } from "@smartcart/mesh";
import type { Logger, Registry, RunningService } from "@smartcart/runtime";
import { Counter, createMetrics, StartError } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import type { LogConfig } from "./config.ts";
import { createIntake } from "./intake.ts";
import { startLogsEmittedConsumer } from "./logs-emitted-consumer.ts";
import { createReadings } from "./readings.ts";
import { startRetention } from "./retention.ts";
import { createLogRoutes } from "./routes.ts";
import { createTail } from "./tail.ts";

/** What the log service is built from. */
export interface LogOptions {
  readonly config: LogConfig;
  /** A PostgreSQL 15 or later; the service keeps everything in its schema `log`. */
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** A running log service. */
export interface RunningLog extends RunningService {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/** Brings the schema up to date, then consumes, prunes and serves. Disposing it finishes the batch under way. */
export async function startLog(o: LogOptions): Promise<RunningLog> {
  const { config, log, metrics = createMetrics("log") } = o;
  const bus = observeBus(o.bus, metrics);
  // What was started is undone in reverse order: by a failed start at once, else when the service is disposed.
  await using starting = new AsyncDisposableStack();
  const days = requireWithin("LOG_RETENTION_DAYS", config, 36_500);
  const megabytes = requireWithin("LOG_RETENTION_MB", config, 1e9);
  const perSecond = requireWithin("LOG_MAX_LINES_PER_SECOND", config, 1e9);
  const database = starting.use(
    createDatabase({ url: o.databaseUrl, schema: "log", log, metrics }),
  );
  await migrate(database, { name: "log", directory: new URL("../migrations/", import.meta.url) });

  const now = () => new Date();
  const readings = createReadings(database);
  const maxWatchers = config.LOG_MAX_WATCHERS;
  const tail = starting.use(createTail({ database, readings, log, maxWatchers }));
  const stored = new Counter({
    name: "smartcart_log_records_total",
    help: "Records that were stored.",
    registers: [metrics],
  });
  const onStored = (count: number) => {
    stored.inc(count);
    tail.poke();
  };
  const dropped = new Counter({
    name: "smartcart_log_dropped_records_total",
    help: "Records that came too fast and were not stored.",
    registers: [metrics],
  });
  const onDropped = (count: number) => dropped.inc(count);
  const intake = createIntake({ perSecond, log, onDropped, nowMs: Date.now });
  starting.use(startRetention({ database, log, days, bytes: megabytes * 1024 * 1024, now }));
  const consumer = starting.use(
    await startLogsEmittedConsumer({ bus, database, log, now, intake, onStored }),
  );
  const server = starting.use(
    await startServer({
      name: "log",
      port: config.LOG_PORT,
      portVariable: "LOG_PORT",
      host: config.HOST,
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      services: [LogService],
      routes: (router) => router.service(LogService, createLogRoutes(readings, tail)),
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      corsOrigins: config.CORS_ORIGINS.split(",").filter((origin) => origin !== ""),
      faultSwitches: config.SMARTCART_DEMO ? [] : undefined,
      checks: {
        database: () => database.ping(),
        bus: () => bus.check(),
        async logs() {
          if (!consumer.ready()) throw new Error("the consumer of queue logs is not attached");
        },
      },
    }),
  );
  const running = starting.move();
  return {
    name: "log",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The value of a variable that must be more than 0. */
function requireWithin(
  variable: "LOG_RETENTION_DAYS" | "LOG_RETENTION_MB" | "LOG_MAX_LINES_PER_SECOND",
  config: LogConfig,
  most: number,
): number {
  const value = config[variable];
  if (value > 0 && value <= most) return value;
  throw new StartError(
    `${variable}: ${value} is out of range; set it to more than 0, up to ${most}`,
    {
      variable,
    },
  );
}
