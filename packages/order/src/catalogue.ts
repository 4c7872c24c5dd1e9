/**
 * Prices of orders. They are read from inventory with each order, so that a new price applies to every order placed after it was set;
 * concurrent orders share a call. While inventory does not answer, prices that it gave within the last minute are used.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Client } from "@connectrpc/connect";
import type { FieldViolation } from "@smartcart/contract";
import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { ValidationError } from "@smartcart/mesh";
import type { Logger, PendingResult } from "@smartcart/runtime";
import { createBatcher, createThrottle, rejectAll } from "@smartcart/runtime";
import { catalogueUnavailable } from "./errors.ts";
import type { PricedItem } from "./order.ts";

export interface Catalogue {
  /**
   * The items with name and price. Throws a ValidationError that names each product that is unknown, archived or in another currency, and
   * CATALOGUE_UNAVAILABLE where inventory does not answer and has not told the prices within the last minute.
   */
  price(items: readonly RequestedItem[]): Promise<PricedOrder>;
}

interface RequestedItem {
  readonly productId: string;
  readonly quantity: number;
}

/** The items of an order with the prices that it is charged at. The order keeps them; later price changes do not reach it. */
export interface PricedOrder {
  readonly items: readonly PricedItem[];
  readonly currencyCode: string;
  /** Whether inventory gave these prices for this order; false: they are remembered, and may have changed since. */
  readonly isCurrent: boolean;
}

interface CatalogueOptions {
  readonly inventory: Pick<Client<typeof InventoryService>, "batchGetProducts">;
  readonly log: Logger;
  /** How long a price is remembered for when inventory does not answer, in milliseconds. Default 60,000. */
  readonly rememberMs?: number;
}

/** Products that are remembered at most; the one that was ordered the longest time ago is forgotten first. */
const maxRemembered = 10_000;
/** Products per call at most, as the contract has it. */
const maxIds = 200;
/** Items of an order, as the contract has it: two orders fit into one call. */
const maxOrdersPerCall = 50;

type Products = ReadonlyMap<string, Product>;

interface Pending extends PendingResult<Products> {
  readonly ids: readonly string[];
}

/** Starts no timer and reads nothing before the first order. At most 10,000 products are remembered. */
export function createCatalogue(o: CatalogueOptions): Catalogue {
  const { inventory, log, rememberMs = 60_000 } = o;
  const memory = createMemory(rememberMs);
  const isLogDue = createThrottle(2_000);
  // Several orders share a call: it must not end with the deadline of the first, or when its customer hangs up.
  const outsideOfAnyCall = AsyncLocalStorage.snapshot();
  const ask = createBatcher<Pending>({
    maxItems: maxOrdersPerCall,
    maxConcurrent: 2,
    slowAfterMs: 100,
    run: (pending) =>
      outsideOfAnyCall(async () => {
        try {
          const ids = [...new Set(pending.flatMap((each) => each.ids))];
          const products = await readProducts(inventory, ids);
          memory.add(products.values());
          for (const { resolve } of pending) resolve(products);
        } catch (error) {
          rejectAll(pending, error);
        }
      }),
  });

  return {
    async price(items) {
      const ids = items.map(({ productId }) => productId);
      try {
        const products = await new Promise<Products>((resolve, reject) =>
          ask({ ids, resolve, reject }),
        );
        return { ...priceItems(products, items), isCurrent: true };
      } catch (error) {
        if (error instanceof ValidationError) throw error;
        const products = memory.find(ids);
        if (products === undefined) throw catalogueUnavailable(error);
        const orders = isLogDue();
        if (orders > 0) log.warn("catalogue.remembered_prices_used", { orders, error });
        return { ...priceItems(products, items), isCurrent: false };
      }
    },
  };
}

async function readProducts(
  inventory: CatalogueOptions["inventory"],
  ids: readonly string[],
): Promise<Products> {
  const parts = Array.from({ length: Math.ceil(ids.length / maxIds) }, (_, part) =>
    ids.slice(part * maxIds, (part + 1) * maxIds),
  );
  const answers = await Promise.all(
    parts.map((productIds) => inventory.batchGetProducts({ productIds })),
  );
  return new Map(
    answers.flatMap(({ products }) => products.map((product) => [product.productId, product])),
  );
}

/** Products that were read lately. */
function createMemory(rememberMs: number) {
  const known = new Map<string, { readonly product: Product; readonly readAt: number }>();
  return {
    add(products: Iterable<Product>): void {
      const readAt = performance.now();
      for (const product of products) {
        // Moved to the end, so that the map stays sorted by the time of reading.
        known.delete(product.productId);
        known.set(product.productId, { product, readAt });
      }
      for (const id of known.keys()) {
        if (known.size <= maxRemembered) break;
        known.delete(id);
      }
    },
    /** All of these; undefined where one is not remembered. */
    find(ids: readonly string[]): Products | undefined {
      const oldest = performance.now() - rememberMs;
      const found = ids.flatMap((id) => {
        const entry = known.get(id);
        return entry && entry.readAt >= oldest ? [[id, entry.product] as const] : [];
      });
      return found.length === ids.length ? new Map(found) : undefined;
    },
  };
}

function priceItems(
  products: Products,
  requested: readonly RequestedItem[],
): Omit<PricedOrder, "isCurrent"> {
  const violations: FieldViolation[] = [];
  const items: PricedItem[] = [];
  let first: { readonly index: number; readonly currencyCode: string } | undefined;
  requested.forEach(({ productId, quantity }, index) => {
    const product = products.get(productId);
    const report = (message: string) =>
      violations.push({ field: `items[${index}].productId`, message });
    if (product?.price === undefined) {
      report(`the catalogue has no product "${productId}"`);
      return;
    }
    if (product.archived) {
      report(`"${productId}" is no longer sold; remove it from the order`);
      return;
    }
    const { currencyCode, minorUnits } = product.price;
    first ??= { index, currencyCode };
    if (currencyCode !== first.currencyCode) {
      report(
        `"${productId}" is priced in ${currencyCode}, but items[${first.index}] in ${first.currencyCode}: an order has one currency; place separate orders`,
      );
    }
    items.push({ productId, name: product.name, quantity, unitPriceMinor: minorUnits });
  });
  if (violations.length > 0) throw new ValidationError(violations);
  return { items, currencyCode: first?.currencyCode ?? "" };
}
