import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type {
  InventoryService,
  ReserveRequest as ReserveRequestMessage,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { settleBatch } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { forCall } from "@smartcart/store";
import { pageSizeOf, parsePageToken, toPageToken } from "./catalogue.ts";
import { invalidPageToken, productNotFound, toServiceError } from "./errors.ts";
import {
  toOutcomeMessage,
  toProductMessage,
  toReservationMessage,
  toShortLineMessage,
} from "./messages.ts";
import type { ReserveRequest } from "./reservation.ts";
import type { ReservationManager } from "./reservation-manager.ts";
import type { StockFeed } from "./stock-feed.ts";
import { createStockLedger } from "./stock-ledger.ts";
import * as store from "./store.ts";

/** What the RPCs of the inventory service work on. */
export interface InventoryParts {
  readonly database: Database;
  readonly book: ReservationManager;
  readonly feed: StockFeed;
  /** How long to hold where a request does not say, in milliseconds. */
  readonly defaultTtlMs: number;
  readonly log: Logger;
}

/** The RPCs of smartcart.inventory.v1.InventoryService. */
export function createInventoryRoutes(parts: InventoryParts): ServiceImpl<typeof InventoryService> {
  const { database, book, feed, log } = parts;

  const reserve = async (request: ReserveRequestMessage) =>
    toOutcomeMessage(await book.reserve(toReserveRequest(request, parts.defaultTtlMs)));

  const commit = async (request: { reservationId: string }) =>
    toOutcomeMessage(await book.commit(request.reservationId));

  return {
    listProducts: guarded(async ({ pageSize, pageToken }, context) => {
      const after = pageToken === "" ? undefined : parsePageToken(pageToken);
      if (pageToken !== "" && !after) throw invalidPageToken();
      const limit = pageSizeOf(pageSize);
      // One more than asked for says whether there is a next page.
      const found = await store.listProducts(forCall(database, context), after, limit + 1);
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      return {
        products: page.map(toProductMessage),
        nextPageToken: last ? toPageToken(last) : "",
      };
    }),

    getProduct: guarded(async ({ productId }, context) => {
      const [product] = await store.findProducts(forCall(database, context), [productId]);
      if (!product) throw productNotFound(productId);
      return { product: toProductMessage(product) };
    }),

    checkStock: guarded(async ({ productId, quantity }, context) => {
      const stock = await store.readAvailable(forCall(database, context), [productId]);
      const available = stock.get(productId);
      if (available === undefined) throw productNotFound(productId);
      return { isAvailable: available >= quantity, available };
    }),

    checkAvailability: guarded(async ({ lines }, context) => {
      const ids = lines.map((line) => line.productId);
      const available = await store.readAvailable(forCall(database, context), ids);
      const short = createStockLedger(available).shortages(lines);
      return { isAvailable: short.length === 0, shortLines: short.map(toShortLineMessage) };
    }),

    reserve: guarded(reserve),
    batchReserve: guarded(async ({ requests }) => ({
      results: await settleBatch(requests, guarded(reserve), log),
    })),
    commitReservation: guarded(commit),
    batchCommitReservations: guarded(async ({ requests }) => ({
      results: await settleBatch(requests, guarded(commit), log),
    })),

    batchDeleteReservations: guarded(async ({ reservationIds }) => {
      await book.delete(reservationIds);
      return {};
    }),
    releaseReservation: guarded(async ({ reservationId }) => ({
      reservation: toReservationMessage(await book.release(reservationId)),
    })),

    async *watchStock({ productIds }, context: HandlerContext) {
      context.signal.throwIfAborted();
      const ids = productIds.length > 0 ? productIds : undefined;
      try {
        if (ids) await requireProducts(forCall(database, context), ids);
        for await (const products of feed.watch(ids, context.signal)) {
          yield { products: products.map(toProductMessage) };
        }
      } catch (error) {
        throw toServiceError(error);
      }
    },
  };
}

/** An item of a batch: the batch's own call was looked at already. */
const detachedCall: Pick<HandlerContext, "signal"> = { signal: new AbortController().signal };

/**
 * Runs a method so that a lost database answers UNAVAILABLE. A call whose caller went away while it waited for its turn ends
 * before it asks the database for anything.
 */
function guarded<I, O>(
  method: (request: I, context: Pick<HandlerContext, "signal">) => Promise<O>,
): (request: I, context?: Pick<HandlerContext, "signal">) => Promise<O> {
  return async (request, context = detachedCall) => {
    context.signal.throwIfAborted();
    try {
      return await method(request, context);
    } catch (error) {
      throw toServiceError(error);
    }
  };
}

async function requireProducts(database: Queryable, ids: readonly string[]): Promise<void> {
  const known = await store.readAvailable(database, ids);
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
