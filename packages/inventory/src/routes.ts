import type { ServiceImpl } from "@connectrpc/connect";
import type {
  InventoryService,
  ReserveRequest as ReserveRequestMessage,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import {
  CommitReservationRequestSchema,
  ReserveRequestSchema,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { BatchErrors } from "@smartcart/mesh";
import { settleBatch } from "@smartcart/mesh";
import type { Database, Queryable } from "@smartcart/store";
import { forCall } from "@smartcart/store";
import type { CataloguePosition } from "./catalogue/catalogue.ts";
import { pageOf, pageSizeOf, parsePageToken, toPageToken } from "./catalogue/catalogue.ts";
import { invalidPageToken, productNotFound, tooManyToWatch } from "./errors.ts";
import {
  toOutcomeMessage,
  toProductMessage,
  toReservationMessage,
  toShortLineMessage,
} from "./messages.ts";
import type { ReserveRequest } from "./reservations/reservation.ts";
import type { ReservationManager } from "./reservations/reservation-manager.ts";
import type { StockFeed } from "./stock/stock-feed.ts";
import { maxWatchedInAll } from "./stock/stock-feed.ts";
import { createStockLedger } from "./stock/stock-ledger.ts";
import {
  findProducts,
  firstProducts,
  listCategories,
  listProducts,
} from "./store/read-products.ts";
import { readAvailable } from "./store/read-stock.ts";

/** What the RPCs of the inventory service work on. */
export interface InventoryDependencies extends BatchErrors {
  readonly database: Database;
  readonly reservations: ReservationManager;
  readonly feed: StockFeed;
  /** How long to hold where a request does not say, in milliseconds. */
  readonly defaultTtlMs: number;
}

/** The RPCs of smartcart.inventory.v1.InventoryService. */
export function createInventoryRoutes(
  dependencies: InventoryDependencies,
): ServiceImpl<typeof InventoryService> {
  return { ...createProductMethods(dependencies), ...createReservationMethods(dependencies) };
}

/** Categories that are listed at most. */
const maxCategories = 200;

type Impl = ServiceImpl<typeof InventoryService>;
type ProductMethods = Pick<
  Impl,
  | "listProducts"
  | "getProduct"
  | "batchGetProducts"
  | "listCategories"
  | "checkStock"
  | "checkAvailability"
  | "watchStock"
>;

/** They read; products and their stock. */
function createProductMethods({ database, feed }: InventoryDependencies): ProductMethods {
  return {
    async listProducts({ pageSize, pageToken, query, category }, context) {
      const after = positionOf(pageToken, "ListProducts");
      const size = pageSizeOf(pageSize);
      const filter = { query, category, archived: "no" } as const;
      const found = await listProducts(forCall(database, context), filter, after, size + 1);
      const { page, nextPageToken } = pageOf(found, size, toPageToken);
      return { products: page.map(toProductMessage), nextPageToken };
    },

    async batchGetProducts({ productIds }, context) {
      const products = await findProducts(forCall(database, context), productIds);
      return { products: products.map(toProductMessage) };
    },

    async listCategories(_, context) {
      return { categories: await listCategories(forCall(database, context), maxCategories) };
    },

    async getProduct({ productId }, context) {
      const [product] = await findProducts(forCall(database, context), [productId]);
      if (!product) throw productNotFound(productId);
      return { product: toProductMessage(product) };
    },

    async checkStock({ productId, quantity }, context) {
      const stock = await readAvailable(forCall(database, context), [productId]);
      const available = stock.get(productId);
      if (available === undefined) throw productNotFound(productId);
      return { isAvailable: available >= quantity, available };
    },

    async checkAvailability({ lines }, context) {
      const ids = lines.map((line) => line.productId);
      const available = await readAvailable(forCall(database, context), ids);
      const short = createStockLedger(available).shortages(lines);
      return { isAvailable: short.length === 0, shortLines: short.map(toShortLineMessage) };
    },

    async *watchStock({ productIds }, context) {
      const ids = productIds.length > 0 ? productIds : undefined;
      if (ids) await requireProducts(forCall(database, context), ids);
      else await requireSmallCatalogue(forCall(database, context));
      for await (const products of feed.watch(ids, context.signal)) {
        yield { products: products.map(toProductMessage) };
      }
    },
  };
}

/** They write; each is idempotent by the reservation's id. */
function createReservationMethods(
  dependencies: InventoryDependencies,
): Omit<Impl, keyof ProductMethods> {
  const { reservations } = dependencies;
  const reserve = async (request: ReserveRequestMessage) =>
    toOutcomeMessage(
      await reservations.reserve(toReserveRequest(request, dependencies.defaultTtlMs)),
    );
  const commit = async ({ reservationId }: { reservationId: string }) =>
    toOutcomeMessage(await reservations.commit(reservationId));
  return {
    reserve,
    batchReserve: async ({ requests }) => ({
      results: await settleBatch(ReserveRequestSchema, requests, reserve, dependencies),
    }),
    commitReservation: commit,
    batchCommitReservations: async ({ requests }) => ({
      results: await settleBatch(CommitReservationRequestSchema, requests, commit, dependencies),
    }),
    async batchDeleteReservations({ reservationIds }) {
      await reservations.delete(reservationIds);
      return {};
    },
    releaseReservation: async ({ reservationId }) => ({
      reservation: toReservationMessage(await reservations.release(reservationId)),
    }),
  };
}

/** The key after which the next page begins; undefined: the first page. */
export function positionOf(pageToken: string, method: string): CataloguePosition | undefined {
  if (pageToken === "") return undefined;
  const position = parsePageToken(pageToken);
  if (!position) throw invalidPageToken(method);
  return position;
}

async function requireSmallCatalogue(database: Queryable): Promise<void> {
  const products = await firstProducts(database, maxWatchedInAll + 1);
  if (products.length > maxWatchedInAll) throw tooManyToWatch(maxWatchedInAll);
}

async function requireProducts(database: Queryable, ids: readonly string[]): Promise<void> {
  const known = await readAvailable(database, ids);
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw productNotFound(unknown);
}

function toReserveRequest(request: ReserveRequestMessage, defaultTtlMs: number): ReserveRequest {
  return {
    reservationId: request.reservationId,
    lines: request.lines.map(({ productId, quantity }) => ({ productId, quantity })),
    ttlMs: request.ttlMs === 0 ? defaultTtlMs : request.ttlMs,
  };
}
