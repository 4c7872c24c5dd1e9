/** Builds the shipping service from its dependencies. */
import { join, resolve } from "node:path";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { createFaultSwitch } from "@smartcart/mesh";
import type { Registry } from "@smartcart/runtime";
import { Counter, StartError, stateDirectory } from "@smartcart/runtime";
import type { RunningService, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
import type { ShippingConfig } from "./config.ts";
import { startDispatcher } from "./dispatcher.ts";
import { shipmentsUnavailable } from "./errors.ts";
import { createFailingOrders } from "./failing-orders.ts";
import type { OrderPlacedConsumerOptions } from "./order-placed-consumer.ts";
import { startOrderPlacedConsumer } from "./order-placed-consumer.ts";
import { startPausable } from "./pausable.ts";
import { createShippingRoutes } from "./routes.ts";
import { openShipmentLogFile } from "./shipment-log-file.ts";

/** What the shipping service is built from; it keeps everything in its schema `shipping`. */
export type ShippingOptions = ServiceOptions<ShippingConfig>;

/**
 * Brings the schema up to date, then consumes, ships and serves. Disposing it finishes the batches under way; what is not
 * done by then is in the table and the queue, for the next process.
 */
export function startShipping(o: ShippingOptions): Promise<RunningService> {
  const { config, databaseUrl: url, log } = o;
  const unavailable = shipmentsUnavailable;
  const definition = {
    name: "shipping",
    portVariable: "SHIPPING_PORT",
    unavailable,
    ...o,
  } as const;
  return startService(definition, async ({ metrics, stack, openDatabase, observeBus }) => {
    requireShare(config.SHIPPING_FAILURE_RATE);
    const shipmentLog = await openShipmentLogFile(logFileOf(config), log);
    const migrations = [
      { name: "shipping", directory: new URL("../migrations/", import.meta.url) },
    ];
    const database = await openDatabase({ url, schema: "shipping", migrations });
    const count = countShipments(metrics);
    const pollMs = config.SHIPPING_POLL_MS;
    const common = { bus: observeBus(o.bus), database, log, now: () => new Date() };
    const onShipped = (shipped: number) => count("shipped", shipped);
    const dispatcher = stack.use(startDispatcher({ ...common, pollMs, onShipped }));
    const server = await consumeOrders(stack, {
      ...common,
      shipmentLog,
      delayMs: () => config.SHIPPING_DELAY_MS,
      failureRate: config.SHIPPING_FAILURE_RATE,
      retentionDays: config.ORDER_RETENTION_DAYS,
      onStarted(started, leavesAfterMs) {
        count("started", started);
        dispatcher.runWithin(Math.max(pollMs, leavesAfterMs));
      },
    });
    const routes = createShippingRoutes(database);
    return {
      ...server,
      services: [ShippingService],
      routes: (router) => router.service(ShippingService, routes),
    };
  });
}

/** The consumer, its readiness, and the switches that make it late or stop it. */
async function consumeOrders(
  stack: AsyncDisposableStack,
  o: Omit<OrderPlacedConsumerOptions, "refuses" | "onHandled">,
) {
  const delay = createFaultSwitch({
    name: "delay",
    title: "Let every parcel leave later",
    max: 10_000,
    unit: "ms",
  });
  const refuse = createFaultSwitch({
    name: "refuse",
    title: "Refuse every parcel: makes dead letters",
  });
  const { onHandled } = stack.use(createFailingOrders(o));
  const consuming = {
    ...o,
    delayMs: () => o.delayMs() + delay.value(),
    refuses: () => refuse.value() === 1,
    onHandled,
  };
  const consumer = stack.use(await startPausable(() => startOrderPlacedConsumer(consuming)));
  const stop = createFaultSwitch({
    name: "stop",
    title: "Begin no shipment",
    onTurn: (value) => (value === 1 ? consumer.pause() : consumer.resume()),
  });
  return {
    faultSwitches: [delay, stop, refuse],
    checks: {
      async orders() {
        if (!consumer.ready()) throw new Error("the consumer of queue orders is not attached");
      },
    },
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
