import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Message } from "@bufbuild/protobuf";
import { create, isMessage } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";
import type { EventBus } from "@smartcart/bus";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import type {
  OrderShipped,
  OrderShippingStarted,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { createServiceClient } from "@smartcart/mesh";
import { createLogger, parseConfig, silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { createDatabase } from "@smartcart/store";
import { createTestBroker, createTestDatabase } from "@smartcart/testkit";
import { shippingConfig, startShipping } from "../src/index.ts";

export const engines = ["postgres", "rabbitmq"] as const;
export type Engine = (typeof engines)[number];

/** A database and a queue of its own, with the ends that the order service has. */
export interface TestWorld extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly sql: Database;
  /** The file that the services of this world write. */
  readonly logFile: string;
  /** Starts the service, as one of maybe several. */
  startService(env?: Record<string, string>, bus?: EventBus): Promise<TestShipping>;
  /** Publishes OrderPlaced of these orders. */
  place(...orderIds: string[]): Promise<void>;
  /** What arrived at queue `shipments`, in the order of arriving, duplicates included. */
  readonly shipments: readonly ShipmentFact[];
}

export interface ShipmentFact {
  readonly messageId: string;
  readonly traceparent: string;
  readonly event: OrderShippingStarted | OrderShipped;
}

/** A running service, a client of it as the order service has it, and what it said. */
export interface TestShipping extends AsyncDisposable {
  readonly service: RunningService;
  readonly client: ReturnType<typeof createClient>;
  /** Lines of its log. */
  readonly lines: readonly Record<string, unknown>[];
}

export async function createWorld(engine: Engine): Promise<TestWorld> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const amqpUrl =
    engine === "rabbitmq" ? starting.use(await createTestBroker()).amqpUrl : undefined;
  const bus = starting.use(
    await openBus({ amqpUrl, databaseUrl, name: "test", log: silentLogger }),
  );
  const sql = starting.use(
    createDatabase({ url: databaseUrl, schema: "shipping", log: silentLogger, maxConnections: 2 }),
  );
  const directory = await mkdtemp(join(tmpdir(), "shipping-"));
  starting.defer(() => rm(directory, { recursive: true }));
  const logFile = join(directory, "shipping.log");
  const shipments: ShipmentFact[] = [];
  starting.use(await collectShipments(bus, shipments));
  const running = starting.move();

  return {
    databaseUrl,
    bus,
    sql,
    logFile,
    shipments,
    async startService(env = {}, itsBus = bus) {
      const engines = { databaseUrl, bus: itsBus };
      return await startTestShipping(engines, { SHIPPING_LOG_FILE: logFile, ...env });
    },
    async place(...orderIds) {
      const events = orderIds.map((orderId) => placed(orderId));
      const report = await bus.publish(events);
      expect(report.confirmed).toHaveLength(events.length);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startTestShipping(
  { databaseUrl, bus }: { databaseUrl: string; bus: EventBus },
  env: Record<string, string>,
): Promise<TestShipping> {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ service: "shipping", destination });
  const config = parseConfig(
    {
      SHIPPING_PORT: "0",
      SHIPPING_DELAY_MS: "10",
      SHIPPING_POLL_MS: "10",
      ...env,
    },
    shippingConfig,
  );
  const service = await startShipping({ config, databaseUrl, bus, log });
  const client = createClient(service.url);
  return {
    service,
    client,
    lines,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

function createClient(baseUrl: string) {
  return createServiceClient(ShippingService, { caller: "order", baseUrl, log: silentLogger });
}

function collectShipments(bus: EventBus, into: ShipmentFact[]) {
  return bus.consume("shipments", {
    name: "test.shipments",
    log: silentLogger,
    maxBatch: 100,
    async handle(batch) {
      for (const { id, traceparent, message } of batch) {
        if (isShipmentEvent(message)) into.push({ messageId: id, traceparent, event: message });
      }
      return batch.map(() => ({ kind: "ack" }));
    },
  });
}

function isShipmentEvent(message: Message): message is OrderShippingStarted | OrderShipped {
  return isMessage(message, OrderShippingStartedSchema) || isMessage(message, OrderShippedSchema);
}

/** The queue, but the first publish of each event is lost: nothing arrives, and nothing is confirmed. */
export function losingFirst(bus: EventBus): EventBus & { readonly lost: ReadonlySet<string> } {
  const lost = new Set<string>();
  return {
    ...bus,
    lost,
    async publish(events, options) {
      const ids = events.map(({ id }) => id).filter((id) => !lost.has(id));
      for (const id of ids) lost.add(id);
      const rest = events.filter(({ id }) => !ids.includes(id));
      const report = await bus.publish(rest, options);
      return { ...report, unknown: [...report.unknown, ...ids] };
    },
  };
}

export const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

export function placed(orderId: string, id = `${orderId}:placed`, at?: Date) {
  const message = create(OrderPlacedSchema, {
    orderId,
    userId: "u1",
    address: "1 Main St",
    ...(at && { placedAt: timestampFromDate(at) }),
  });
  return createEvent(OrderPlacedSchema, message, { id, traceparent });
}

export function newOrderId(): string {
  return `ORD-${randomUUID().replaceAll("-", "").slice(0, 26).toUpperCase()}`;
}

/** The events of an order in short, in the order of arriving. */
export function factsOf(world: TestWorld, orderId: string): string[] {
  return world.shipments
    .filter(({ event }) => event.orderId === orderId)
    .map(({ event }) => event.$typeName.replace("smartcart.events.v1.", ""));
}

/** The orders that the file tells of, sorted. */
export async function startedInFile(world: TestWorld): Promise<string[]> {
  const text = await readFile(world.logFile, "utf8");
  return [...text.matchAll(/^\S+ Shipping started for OrderId: (\S+)$/gm)]
    .map(([, orderId]) => orderId ?? "")
    .sort();
}
