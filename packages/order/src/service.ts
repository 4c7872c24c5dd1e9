/** Builds the order service from its dependencies. */
import type { Transport } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { observeBus, outboxMigrations } from "@smartcart/bus";
import { createAsyncApi } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { ServiceClientOptions } from "@smartcart/mesh";
import { createServiceClient, startServer } from "@smartcart/mesh";
import type { Logger, Registry, RunningService } from "@smartcart/runtime";
import { createMetrics, Gauge } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import { createCatalogue } from "./catalogue.ts";
import type { OrderConfig } from "./config.ts";
import type { CrashPoints } from "./crash-points.ts";
import { crashAt, noCrashPoints } from "./crash-points.ts";
import { idempotencyKeyHeader } from "./idempotency.ts";
import { startKeyPruning } from "./key-pruning.ts";
import { startOverdueShipmentPoller } from "./overdue-shipment-poller.ts";
import { createOrderRepository } from "./repository.ts";
import { requireRetention, startRetention } from "./retention.ts";
import { orderRoutes } from "./routes.ts";
import { createOrderSaga } from "./saga/order-saga.ts";
import { startResumer } from "./saga/resumer.ts";
import type { Peers } from "./saga/steps.ts";
import { startShipmentsConsumer } from "./shipments-consumer.ts";
import { countByState, countUnfinished } from "./store/read-orders.ts";

/** Where a peer is: its URL, or the transport of one in the same process. */
export type PeerAddress = Pick<ServiceClientOptions, "baseUrl" | "transport">;

export interface OrderOptions {
  readonly config: OrderConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly peers: Readonly<Record<keyof Peers, PeerAddress>>;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** For fault tests. Default: none, or the one that the configuration names. */
  readonly crashPoints?: CrashPoints;
}

export interface RunningOrder extends RunningService {
  readonly port: number;
  /** Calls in process, through the same interceptors as over the network. */
  readonly transport: Transport;
}

export async function startOrder(options: OrderOptions): Promise<RunningOrder> {
  const { config, databaseUrl, log } = options;
  const metrics = options.metrics ?? createMetrics("order");
  const bus = observeBus(options.bus, metrics);
  await using started = new AsyncDisposableStack();
  const database = started.use(
    createDatabase({ url: databaseUrl, schema: "orders", log, applicationName: "order" }),
  );
  await migrate(database, ordersMigrations);
  await migrate(database, outboxMigrations);

  const repository = createOrderRepository(database);
  const peers = connectPeers(options, metrics);
  const crashPoints =
    options.crashPoints ?? (config.ORDER_CRASH_AT ? crashAt(config.ORDER_CRASH_AT) : noCrashPoints);
  const now = () => new Date();
  const saga = createOrderSaga({ repository, peers, log, crashPoints, now });
  // Disposed of in reverse: first no new requests, then no new steps, then the database.
  started.defer(async () => {
    saga.stop();
    await saga.idle();
  });
  started.use(startResumer({ repository, saga, log }));
  started.use(
    startOverdueShipmentPoller({
      repository,
      shipping: peers.shipping,
      log,
      overdueMs: config.ORDER_SHIPMENT_OVERDUE_MS,
    }),
  );
  const consumer = started.use(await startShipmentsConsumer({ bus, repository, log }));
  started.use(startKeyPruning({ database, log, ageMs: config.IDEMPOTENCY_KEY_TTL_MS }));
  const days = config.ORDER_RETENTION_DAYS;
  requireRetention(days, config.IDEMPOTENCY_KEY_TTL_MS);
  started.use(startRetention({ database, peers, log, days, now }));
  measureUnfinished(metrics, database);

  const asyncApi = createAsyncApi({ statusPort: config.STATUS_PORT });
  const server = started.use(
    await startServer({
      name: "order",
      port: config.ORDER_PORT,
      portVariable: "ORDER_PORT",
      host: config.HOST,
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      services: [OrderService],
      rest: [OrderService],
      restOptions: {
        headers: [idempotencyKeyHeader],
        description: aboutKeys(config.IDEMPOTENCY_KEY_TTL_MS),
      },
      extraRoutes: (app) => app.get("/asyncapi.json", (context) => context.json(asyncApi)),
      routes: orderRoutes({
        database,
        repository,
        saga,
        crashPoints,
        log,
        now,
        catalogue: createCatalogue({ inventory: peers.inventory, log }),
        answerTimeoutMs: config.ORDER_ANSWER_TIMEOUT_MS,
      }),
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      maxInFlight: config.ORDER_MAX_IN_FLIGHT,
      rateLimitPerSecond: config.ORDER_RATE_LIMIT_PER_SECOND,
      gauges: () => ordersByState(database),
      faultSwitches: config.SMARTCART_DEMO ? [] : undefined,
      corsOrigins: config.CORS_ORIGINS.split(",").filter((origin) => origin !== ""),
      checks: {
        database: () => database.ping(),
        bus: () => bus.check(),
        shipments: async () => {
          if (!consumer.ready())
            throw new Error("the consumer of queue shipments is not connected");
        },
      },
    }),
  );
  const running = started.move();
  return {
    name: "order",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** For the OpenAPI document: what a client has to know of keys before it sends one. */
function aboutKeys(ttlMs: number): string {
  return (
    "With the header Idempotency-Key, POST /placeOrder may be repeated: the first answer to a key is repeated byte for byte, with " +
    "Idempotency-Replayed: true. A key belongs to the userId of its request: the same key of another user is another key. " +
    `It is kept for ${ttlMs / 3_600_000} hours at least, and as long as its order is under way; after that it makes a new order.`
  );
}

const ordersMigrations = { name: "orders", directory: new URL("../migrations/", import.meta.url) };

function connectPeers({ peers, config, log }: OrderOptions, metrics: Registry): Peers {
  const common = { caller: "order", log, metrics, meshSecret: config.MESH_SECRET };
  return {
    inventory: createServiceClient(InventoryService, { ...common, ...peers.inventory }),
    payment: createServiceClient(PaymentService, { ...common, ...peers.payment }),
    shipping: createServiceClient(ShippingService, { ...common, ...peers.shipping }),
  };
}

/** For the operations console: orders on their way. Those at their end are too many to count. */
async function ordersByState(database: Database): Promise<Record<string, number>> {
  const counts = Object.entries(await countByState(database));
  return Object.fromEntries(counts.map(([state, count]) => [`orders.${state}`, count]));
}

function measureUnfinished(metrics: Registry, database: Database): void {
  new Gauge({
    name: "smartcart_orders_unfinished",
    help: "Orders whose saga has not come to rest.",
    registers: [metrics],
    async collect() {
      this.set(await countUnfinished(database));
    },
  });
}
