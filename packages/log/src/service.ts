/** Builds the log service from its dependencies. */
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import type { Registry } from "@smartcart/runtime";
import { Counter, StartError } from "@smartcart/runtime";
import type { RunningService, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
import type { LogConfig } from "./config.ts";
import { logUnavailable } from "./errors.ts";
import { createIntake } from "./intake.ts";
import { startLogsEmittedConsumer } from "./logs-emitted-consumer.ts";
import { createReadings } from "./readings.ts";
import { startRetention } from "./retention.ts";
import { createLogRoutes } from "./routes.ts";
import { createTail } from "./tail.ts";

/** What the log service is built from; it keeps everything in its schema `log`. */
export type LogOptions = ServiceOptions<LogConfig>;

/** Brings the schema up to date, then consumes, prunes and serves. Disposing it finishes the batch under way. */
export function startLog(o: LogOptions): Promise<RunningService> {
  const { config, databaseUrl: url, log } = o;
  const unavailable = logUnavailable;
  const definition = { name: "log", portVariable: "LOG_PORT", unavailable, ...o } as const;
  return startService(definition, async ({ metrics, stack, openDatabase, observeBus }) => {
    const days = requireWithin("LOG_RETENTION_DAYS", config, 36_500);
    const megabytes = requireWithin("LOG_RETENTION_MB", config, 1e9);
    const perSecond = requireWithin("LOG_MAX_LINES_PER_SECOND", config, 1e9);
    const migrations = [{ name: "log", directory: new URL("../migrations/", import.meta.url) }];
    const database = await openDatabase({ url, schema: "log", migrations });
    const bus = observeBus(o.bus);
    const now = () => new Date();
    const readings = createReadings(database);
    const maxWatchers = config.LOG_MAX_WATCHERS;
    const tail = stack.use(createTail({ database, readings, log, maxWatchers }));
    const { stored, dropped } = createCounters(metrics);
    const onDropped = (count: number) => dropped.inc(count);
    const intake = createIntake({ perSecond, log, onDropped, nowMs: Date.now });
    stack.use(startRetention({ database, log, days, bytes: megabytes * 1024 * 1024, now }));
    const onStored = (count: number) => {
      stored.inc(count);
      tail.poke();
    };
    const consumer = stack.use(
      await startLogsEmittedConsumer({ bus, database, log, now, intake, onStored }),
    );
    const routes = createLogRoutes(readings, tail);
    return {
      services: [LogService],
      routes: (router) => router.service(LogService, routes),
      corsOrigins: config.CORS_ORIGINS.split(",").filter((origin) => origin !== ""),
      checks: {
        async logs() {
          if (!consumer.ready()) throw new Error("the consumer of queue logs is not attached");
        },
      },
    };
  });
}

function createCounters(metrics: Registry) {
  const registers = [metrics];
  return {
    stored: new Counter({
      name: "smartcart_log_records_total",
      help: "Records that were stored.",
      registers,
    }),
    dropped: new Counter({
      name: "smartcart_log_dropped_records_total",
      help: "Records that came too fast and were not stored.",
      registers,
    }),
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
