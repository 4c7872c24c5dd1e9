/**
 * The catalogue as the order service sees it: a copy of the inventory's products, at most a few seconds old, so that pricing an
 * order costs no call. Inventory stays the only source of prices; a price is frozen when the order is received.
 */
import type { Client } from "@connectrpc/connect";
import type { FieldViolation } from "@smartcart/contract";
import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import { detached, ValidationError } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import { catalogueUnavailable } from "./errors.ts";
import type { PricedItem } from "./order.ts";

export interface Catalogue {
  /**
   * The items with name and price. Throws a ValidationError that names each unknown product, and CATALOGUE_UNAVAILABLE where
   * no copy that is young enough can be had.
   */
  price(items: readonly RequestedItem[]): Promise<PricedOrder>;
}

export interface RequestedItem {
  readonly productId: string;
  readonly quantity: number;
}

export interface PricedOrder {
  readonly items: readonly PricedItem[];
  readonly currencyCode: string;
}

export interface CatalogueOptions {
  readonly inventory: Client<typeof InventoryService>;
  readonly log: Logger;
  /** Age from which the copy is renewed behind the scenes, in milliseconds. Default 2,000. */
  readonly freshMs?: number;
  /** Age from which the copy is not used any more, in milliseconds. Default 60,000. */
  readonly staleMs?: number;
}

interface Copy {
  readonly products: ReadonlyMap<string, Product>;
  readonly readAt: number;
}

export function createCatalogue(options: CatalogueOptions): Catalogue {
  const { inventory, log, freshMs = 2_000, staleMs = 60_000 } = options;
  let copy: Copy | undefined;
  let renewal: Promise<Copy> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const renew = (): Promise<Copy> => {
    // It is for everybody who waits for prices: whoever happens to ask first may hang up, or have little time left.
    renewal ??= detached(() => readAll(inventory))
      .then((products) => {
        copy = { products, readAt: performance.now() };
        return copy;
      })
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };

  const current = async (): Promise<Copy> => {
    const age = copy === undefined ? Number.POSITIVE_INFINITY : performance.now() - copy.readAt;
    if (copy === undefined || age > staleMs) {
      return renew().catch((cause: unknown) => {
        throw catalogueUnavailable(cause);
      });
    }
    // Who starts it reports it, and after a failure nobody does for a while: the copy still serves.
    if (age > freshMs && renewal === undefined && performance.now() - failedAt > freshMs) {
      renew().catch((error: unknown) => {
        failedAt = performance.now();
        log.warn("catalogue.renewal_failed", { error });
      });
    }
    return copy;
  };

  return {
    async price(items) {
      let { products, readAt } = await current();
      // A product may be newer than the copy; look once more, but not for every request that names a wrong one.
      if (items.some((item) => !products.has(item.productId))) {
        if (performance.now() - readAt > 500) {
          products = (await renew().catch(() => ({ products }))).products;
        }
      }
      return priceItems(products, items);
    },
  };
}

async function readAll(
  inventory: Client<typeof InventoryService>,
): Promise<ReadonlyMap<string, Product>> {
  const products = new Map<string, Product>();
  let pageToken = "";
  do {
    const page = await inventory.listProducts({ pageSize: 200, pageToken });
    for (const product of page.products) products.set(product.productId, product);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return products;
}

function priceItems(
  products: ReadonlyMap<string, Product>,
  requested: readonly RequestedItem[],
): PricedOrder {
  const violations: FieldViolation[] = [];
  const items: PricedItem[] = [];
  let currencyCode = "";
  requested.forEach(({ productId, quantity }, index) => {
    const price = products.get(productId)?.price;
    const name = products.get(productId)?.name ?? "";
    const field = `items[${index}].productId`;
    if (price === undefined) {
      violations.push({ field, message: `the catalogue has no product "${productId}"` });
      return;
    }
    currencyCode ||= price.currencyCode;
    if (price.currencyCode !== currencyCode) {
      violations.push({
        field,
        message: `costs ${price.currencyCode}, but previous items cost ${currencyCode}; place separate orders`,
      });
    }
    items.push({ productId, name, quantity, unitPriceMinor: price.minorUnits });
  });
  if (violations.length > 0) throw new ValidationError(violations);
  return { items, currencyCode };
}
