/** Builds the order service from its dependencies. */
import { outboxMigrations } from "@smartcart/bus";
import { createAsyncApi } from "@smartcart/contract";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { Registry } from "@smartcart/runtime";
import { Gauge } from "@smartcart/runtime";
import type {
  PeerAddress,
  RunningService,
  ServiceContext,
  ServiceOptions,
  ServiceServer,
} from "@smartcart/service";
import { startService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { orderAdminRoutes } from "./admin-routes.ts";
import { createAdmission } from "./admission.ts";
import { createCatalogue } from "./catalogue.ts";
import type { OrderConfig } from "./config.ts";
import type { CrashPoints } from "./crash-points.ts";
import { crashAt, noCrashPoints } from "./crash-points.ts";
import { orderNotFound, ordersUnavailable, problemsByMethod } from "./errors.ts";
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

/** What the order service is built from; it keeps everything in its schema `orders`. */
export interface OrderOptions extends ServiceOptions<OrderConfig> {
  readonly peers: Readonly<Record<keyof Peers, PeerAddress>>;
  /** For fault tests. Default: none, or the one that the configuration names. */
  readonly crashPoints?: CrashPoints;
}

/** Brings the schema up to date, then drives orders and serves. Disposing drains: first requests end, then steps. */
export function startOrder(o: OrderOptions): Promise<RunningService> {
  const { config, databaseUrl: url, log } = o;
  const unavailable = ordersUnavailable;
  const perAddress = config.ORDER_RATE_LIMIT_PER_SECOND ?? config.RATE_LIMIT_PER_ADDRESS;
  const definition = {
    name: "order",
    portVariable: "ORDER_PORT",
    unavailable,
    ...o,
    config: { ...config, RATE_LIMIT_PER_ADDRESS: perAddress },
  } as const;
  return startService(definition, async (context) => {
    const { metrics, stack } = context;
    const migrations = [ordersMigrations, outboxMigrations];
    const database = await context.openDatabase({ url, schema: "orders", migrations });
    const bus = context.observeBus(o.bus);
    const repository = createOrderRepository(database);
    const peers = connectPeers(o.peers, context);
    const crashPoints =
      o.crashPoints ?? (config.ORDER_CRASH_AT ? crashAt(config.ORDER_CRASH_AT) : noCrashPoints);
    const now = () => new Date();
    const saga = createOrderSaga({ repository, peers, log, crashPoints, now });
    // Disposed of in reverse: first no new requests, then no new steps, then the database.
    stack.defer(async () => {
      saga.stop();
      await saga.idle();
    });
    stack.use(startResumer({ repository, saga, log }));
    const overdueMs = config.ORDER_SHIPMENT_OVERDUE_MS;
    const { inventory, shipping } = peers;
    stack.use(startOverdueShipmentPoller({ repository, shipping, log, overdueMs }));
    const consumer = stack.use(await startShipmentsConsumer({ bus, repository, log }));
    startDeletions(o, { database, peers, now, stack });
    measureUnfinished(metrics, database);
    const catalogue = createCatalogue({ inventory, log });
    const admission = createAdmission();
    const answerTimeoutMs = config.ORDER_ANSWER_TIMEOUT_MS;
    const common = { database, repository, saga, crashPoints, log, now };
    return {
      ...endpoints(config, context.tls !== undefined),
      routes(router) {
        orderRoutes({ ...common, admission, catalogue, shipping, answerTimeoutMs })(router);
        orderAdminRoutes({ ...common, peers, answerTimeoutMs })(router);
      },
      owners: {
        order_id: {
          ownerOf: async (orderId) => (await repository.find(orderId))?.userId,
          notFound: orderNotFound,
        },
      },
      gauges: () => ordersByState(database),
      checks: {
        shipments: async () => {
          if (!consumer.ready())
            throw new Error("the consumer of queue shipments is not connected");
        },
      },
    };
  });
}

/** What the port offers beside the RPCs, and its limits. */
function endpoints(config: OrderConfig, hasTls: boolean): ServiceServer {
  const asyncApi = createAsyncApi({ statusPort: config.STATUS_PORT, hasTls });
  return {
    services: [OrderService, OrderAdminService],
    rest: [OrderService],
    restOptions: {
      headers: [idempotencyKeyHeader],
      problems: problemsByMethod,
      description: aboutKeys(config.IDEMPOTENCY_KEY_TTL_MS),
    },
    extraRoutes: (app) => app.get("/asyncapi.json", (context) => context.json(asyncApi)),
    corsOrigins: config.CORS_ORIGINS.split(",").filter((origin) => origin !== ""),
    maxInFlight: config.ORDER_MAX_IN_FLIGHT,
  };
}

/** Deletes old keys, and old orders where the configuration asks for it. */
function startDeletions(
  { config, log }: OrderOptions,
  o: { database: Database; peers: Peers; now: () => Date; stack: AsyncDisposableStack },
): void {
  const { database, peers, now, stack } = o;
  const keyAgeMs = config.IDEMPOTENCY_KEY_TTL_MS;
  stack.use(startKeyPruning({ database, log, ageMs: keyAgeMs }));
  const days = config.ORDER_RETENTION_DAYS;
  requireRetention(days, keyAgeMs);
  stack.use(startRetention({ database, peers, log, days, now }));
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

function connectPeers(
  { inventory, payment, shipping }: OrderOptions["peers"],
  { connect }: ServiceContext,
): Peers {
  return {
    inventory: connect(InventoryService, inventory),
    payment: connect(PaymentService, payment),
    shipping: connect(ShippingService, shipping),
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
