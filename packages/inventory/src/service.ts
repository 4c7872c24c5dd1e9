import { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { Logger, Timer } from "@smartcart/runtime";
import { startTimer } from "@smartcart/runtime";
import type { RunningService, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
import type { Database } from "@smartcart/store";
import { createAdminRoutes } from "./catalogue/admin-routes.ts";
import { startCleaner } from "./cleaner.ts";
import type { InventoryConfig } from "./config.ts";
import { stockUnavailable } from "./errors.ts";
import { seedCatalogue } from "./import/seed.ts";
import { addPictureRoute } from "./pictures/picture-routes.ts";
import { logDecisions, noteStatus } from "./reservations/decision-log.ts";
import type { ReservationManager } from "./reservations/reservation-manager.ts";
import { createReservationManager } from "./reservations/reservation-manager.ts";
import { createInventoryRoutes } from "./routes.ts";
import { maxWatchedInAll, startStockFeed } from "./stock/stock-feed.ts";
import { nextExpiryInMs } from "./store/expiries.ts";
import { findProducts, firstProducts } from "./store/read-products.ts";

/** What the inventory service is built from; it keeps everything in its schema `inventory`. */
export type InventoryOptions = Omit<ServiceOptions<InventoryConfig>, "bus">;

/** Reservations that the sweeper puts back in one transaction at most. */
const sweepBatchSize = 200;

/** Longest pause of the sweeper: how late units go back where another process set them aside and then died. */
const longestSweepPauseMs = 5_000;

/** Longest request: a batch of 256 reservations with 100 lines each fits. */
const maxBodyBytes = 2 * 1024 * 1024;

/** Brings the schema up to date, then serves. Disposing drains: calls under way finish, streams end. */
export function startInventory(o: InventoryOptions): Promise<RunningService> {
  const { config, databaseUrl: url, log } = o;
  const unavailable = stockUnavailable;
  const definition = {
    name: "inventory",
    portVariable: "INVENTORY_PORT",
    unavailable,
    ...o,
  } as const;
  return startService(definition, async ({ openDatabase, stack, mapError }) => {
    const migrations = [
      { name: "inventory", directory: new URL("../migrations/", import.meta.url) },
    ];
    const database = await openDatabase({ url, schema: "inventory", migrations });
    await seedCatalogue(database, config.SMARTCART_SEED);
    const feed = stack.use(
      startStockFeed({
        read: (ids) =>
          ids ? findProducts(database, ids) : firstProducts(database, maxWatchedInAll),
        pollMs: config.STOCK_POLL_MS,
        log,
      }),
    );
    const onChange = () => feed.poke();
    const sweepMs = config.RESERVATION_SWEEP_MS;
    const manager = createReservationManager({
      database,
      onChange,
      onHeld: (ttlMs) => sweeper.runWithin(Math.max(sweepMs, ttlMs)),
      onExpired: (reservationId) => noteStatus(log, reservationId, "EXPIRED"),
    });
    const reservations: ReservationManager = logDecisions(manager, log);
    const sweeper = stack.use(startSweeper({ reservations, database, intervalMs: sweepMs, log }));
    stack.use(startCleaner({ database, ledgerDays: config.STOCK_LEDGER_RETENTION_DAYS, log }));
    const defaultTtlMs = config.RESERVATION_TTL_MS;
    const routes = createInventoryRoutes({
      database,
      reservations,
      feed,
      defaultTtlMs,
      log,
      mapError,
    });
    const adminRoutes = createAdminRoutes({
      ...{ database, onChange },
      maxPictureBytes: config.PICTURE_MAX_KB * 1_000,
    });
    return {
      services: [InventoryService, CatalogueAdminService],
      routes: (router) => {
        router.service(InventoryService, routes);
        router.service(CatalogueAdminService, adminRoutes);
      },
      maxBodyBytes,
      extraRoutes: (app) => addPictureRoute(app, database),
    };
  });
}

function startSweeper(o: {
  readonly reservations: ReservationManager;
  readonly database: Database;
  readonly intervalMs: number;
  readonly log: Logger;
}): Timer {
  const { reservations, database, intervalMs, log } = o;
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
        expired = await reservations.expire(sweepBatchSize);
        if (expired > 0) log.info("reservations.expired", { count: expired });
      }
      return 0;
    },
  });
}
