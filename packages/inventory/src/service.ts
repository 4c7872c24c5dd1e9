import type { Transport } from "@connectrpc/connect";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { startServer } from "@smartcart/mesh";
import type { Logger, Registry, RunningService, Timer } from "@smartcart/runtime";
import { createMetrics, startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { createDatabase, migrate } from "@smartcart/store";
import type { InventoryConfig } from "./config.ts";
import type { ReservationManager } from "./reservation-manager.ts";
import { createReservationManager } from "./reservation-manager.ts";
import { createInventoryRoutes } from "./routes.ts";
import { startStockFeed } from "./stock-feed.ts";
import { findProducts, nextExpiryInMs } from "./store.ts";

/** What the inventory service is built from. */
export interface InventoryOptions {
  readonly config: InventoryConfig;
  /** A PostgreSQL 15 or later; the service keeps everything in its schema `inventory`. */
  readonly databaseUrl: string;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** A running inventory service. */
export interface RunningInventory extends RunningService {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/** Reservations that the sweeper puts back in one transaction at most. */
const sweepBatchSize = 200;

/** Longest pause of the sweeper: how late units go back where another process set them aside and then died. */
const longestSweepPauseMs = 5_000;

/** Longest request: a batch of 256 reservations with 100 lines each fits. */
const maxBodyBytes = 2 * 1024 * 1024;

/** Brings the schema up to date, then serves. Disposing drains: calls under way finish, streams end. */
export async function startInventory(o: InventoryOptions): Promise<RunningInventory> {
  const { config, log, metrics = createMetrics("inventory") } = o;
  // What was started is undone in reverse order: by a failed start at once, else when the service is disposed.
  await using starting = new AsyncDisposableStack();
  const database = starting.use(
    createDatabase({ url: o.databaseUrl, schema: "inventory", log, metrics }),
  );
  await migrate(database, {
    name: "inventory",
    directory: new URL("../migrations/", import.meta.url),
  });
  const feed = starting.use(
    startStockFeed({ read: () => findProducts(database), pollMs: config.STOCK_POLL_MS, log }),
  );
  const sweepMs = config.RESERVATION_SWEEP_MS;
  const book: ReservationManager = createReservationManager({
    database,
    onChange: feed.poke,
    onHeld: (ttlMs) => sweeper.runWithin(Math.max(sweepMs, ttlMs)),
  });
  const sweeper = starting.use(startSweeper({ book, database, intervalMs: sweepMs, log }));
  const routes = createInventoryRoutes({
    database,
    book,
    feed,
    defaultTtlMs: config.RESERVATION_TTL_MS,
    log,
  });
  const server = await startServer({
    name: "inventory",
    port: config.INVENTORY_PORT,
    portVariable: "INVENTORY_PORT",
    host: config.HOST,
    allowedHosts: config.ALLOWED_HOSTS,
    trustedProxies: config.TRUSTED_PROXIES,
    services: [InventoryService],
    routes: (router) => router.service(InventoryService, routes),
    log,
    metrics,
    meshSecret: config.MESH_SECRET,
    maxBodyBytes,
    faultSwitches: config.SMARTCART_DEMO ? [] : undefined,
    checks: { database: () => database.ping() },
  });
  starting.use(server);
  const running = starting.move();
  return {
    name: "inventory",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function startSweeper(o: {
  readonly book: ReservationManager;
  readonly database: Database;
  readonly intervalMs: number;
  readonly log: Logger;
}): Timer {
  const { book, database, intervalMs, log } = o;
  return startTimer({
    name: "inventory.sweeper",
    intervalMs,
    longestMs: Math.max(intervalMs, longestSweepPauseMs),
    log,
    async run(signal) {
      const dueInMs = await nextExpiryInMs(database);
      if (dueInMs > 0) return dueInMs;
      let expired = sweepBatchSize;
      // A full batch means that there may be more: go on without waiting for the next tick.
      while (expired === sweepBatchSize && !signal.aborted) {
        expired = await book.expire(sweepBatchSize);
        if (expired > 0) log.info("reservations.expired", { count: expired });
      }
      return 0;
    },
  });
}
