/** A product with a snapshot of its stock. */
export interface Product {
  readonly productId: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly emoji: string;
  readonly currencyCode: string;
  readonly priceMinor: bigint;
  readonly available: number;
  /** Grows with every change of the product or its stock. */
  readonly version: bigint;
  /** HTTPS URL, path below /pictures/, or empty. */
  readonly pictureUrl: string;
  /** No longer listed, and cannot be ordered. */
  readonly archived: boolean;
}

/** A product as operators see it. */
export interface CatalogueProduct extends Product {
  /** Grows with every edit, and not with the stock. */
  readonly revision: bigint;
  /** Units held or sold by the orders that are stored. */
  readonly reserved: number;
  readonly updatedAt: Date;
}

/** What operators set of a product. */
export type ProductFields = Pick<
  Product,
  | "name"
  | "description"
  | "category"
  | "emoji"
  | "pictureUrl"
  | "currencyCode"
  | "priceMinor"
  | "archived"
>;

/** Changes of a product; what is undefined stays as it is. Currency and price come together. */
export type ProductEdit = { readonly [K in keyof ProductFields]: ProductFields[K] | undefined };

/** Which products a list has. */
export interface CatalogueFilter {
  /** Words that must begin words of the product; empty: all products. */
  readonly query: string;
  /** Empty: all categories. */
  readonly category: string;
  readonly archived: "no" | "yes" | "all";
}

/** A place among the products of which the fewest units are available first. */
export type StockPosition = Pick<Product, "available" | "productId">;

/** Most units that a product's stock can have. */
export const maxStock = 1_000_000_000;

/** A place in the catalogue, which is ordered by category, name and id. */
export type CataloguePosition = Pick<Product, "category" | "name" | "productId">;

/** Products in an answer where the caller did not say. */
const defaultPageSize = 50;

/** The page size that a request stands for; 0 means the default. The contract bounds it. */
export function pageSizeOf(requested: number): number {
  return requested === 0 ? defaultPageSize : requested;
}

/** One page of a list. `found` has one row more than `size` where there is a next page. */
export function pageOf<T>(found: readonly T[], size: number, tokenOf: (last: T) => string) {
  const page = found.slice(0, size);
  const last = found.length > size ? page.at(-1) : undefined;
  return { page, nextPageToken: last === undefined ? "" : tokenOf(last) };
}

/**
 * Writes a position as an opaque page token. The token names the last product that was shown rather than a count,
 * so products that come or go between two pages make no other product appear twice or not at all.
 */
export function toPageToken(last: CataloguePosition): string {
  return Buffer.from(JSON.stringify([last.category, last.name, last.productId])).toString(
    "base64url",
  );
}

/** Reads a page token; undefined for anything that {@link toPageToken} did not write. */
export function parsePageToken(token: string): CataloguePosition | undefined {
  const [category, name, productId, ...rest] = partsOf(token);
  if (!isStorable(category) || !isStorable(name) || !isStorable(productId)) return undefined;
  return rest.length > 0 ? undefined : { category, name, productId };
}

/** {@link toPageToken} of a list that begins with what runs out. */
export function toStockPageToken({ available, productId }: StockPosition): string {
  return Buffer.from(JSON.stringify([available, productId])).toString("base64url");
}

/** Reads a page token; undefined for anything that {@link toStockPageToken} did not write. */
export function parseStockPageToken(token: string): StockPosition | undefined {
  const [available, productId, ...rest] = partsOf(token);
  const isCount = Number.isInteger(available) && Math.abs(Number(available)) <= 2 ** 31 - 1;
  if (!isCount || !isStorable(productId) || rest.length > 0) return undefined;
  return { available: Number(available), productId };
}

function partsOf(token: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

/** Whether PostgreSQL can take a value as text: it refuses the NUL character. */
function isStorable(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}
