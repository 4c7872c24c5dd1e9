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
}

/** A place in the catalogue, which is ordered by category, name and id. */
export type CataloguePosition = Pick<Product, "category" | "name" | "productId">;

/** Products in an answer where the caller did not say, and the most that one can ask for. */
const defaultPageSize = 50;
const maxPageSize = 200;

/** The page size that a request stands for; 0 means the default. */
export function pageSizeOf(requested: number): number {
  return requested === 0 ? defaultPageSize : Math.min(requested, maxPageSize);
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
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 3) return undefined;
  const [category, name, productId] = parts as unknown[];
  if (!isStorable(category) || !isStorable(name) || !isStorable(productId)) return undefined;
  return { category, name, productId };
}

/** Whether PostgreSQL can take a value as text: it refuses the NUL character. */
function isStorable(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}
