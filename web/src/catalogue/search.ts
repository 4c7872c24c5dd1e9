import type { Product } from "@smartcart/gen/inventory/v1/product_pb";

/** What a product is found by. */
type Searched = Pick<Product, "name" | "description" | "category">;

/**
 * The products that hold every word of `query` somewhere in name, description or category, in their order. Upper and
 * lower case and accents do not matter, and the beginning or the middle of a word will do. All of them where `query`
 * has no words.
 */
export function searchProducts<T extends Searched>(
  products: readonly T[],
  query: string,
): readonly T[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return products;
  return products.filter(({ name, description, category }) => {
    const text = plain(`${name}\n${description}\n${category}`);
    return words.every((word) => text.includes(word));
  });
}

/** The query of an address: "?q=blue+mug" → "blue mug". */
export function queryIn(search: string): string {
  return new URLSearchParams(search).get("q") ?? "";
}

/** The address of the shop with a query in it. */
export function searchPath(query: string): string {
  return query.trim() === "" ? "/" : `/?${new URLSearchParams({ q: query.trim() })}`;
}

function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase();
}
