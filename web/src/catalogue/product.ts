import type { Product } from "@smartcart/gen/inventory/v1/product_pb";

/** Takes newer snapshots of products in. Of two snapshots the one with the higher version counts, whichever came first. */
export function mergeProducts(
  products: ReadonlyMap<string, Product>,
  changed: readonly Product[],
): ReadonlyMap<string, Product> {
  const merged = new Map(products);
  for (const product of changed) {
    const known = merged.get(product.productId);
    if (!known || product.version >= known.version) merged.set(product.productId, product);
  }
  return merged;
}

/** The list by category, in the order in which the catalogue has them. */
export function productsByCategory(
  products: readonly Product[],
): ReadonlyMap<string, readonly Product[]> {
  return Map.groupBy(products, (product) => product.category || "More");
}

/** How much is left, in words, and how urgent that is. */
export interface StockNote {
  readonly text: string;
  readonly level: "plenty" | "few" | "none";
}

export function stockNote(product: Product): StockNote {
  if (product.archived) return { text: "No longer available", level: "none" };
  const available = product.available ?? 0;
  if (available <= 0) return { text: "Sold out", level: "none" };
  if (available <= 5) return { text: `Only ${available} left`, level: "few" };
  // Beyond a thousand the digits would only flicker.
  return { text: available > 999 ? "In stock" : `${available} in stock`, level: "plenty" };
}
