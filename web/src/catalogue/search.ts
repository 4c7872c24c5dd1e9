import type { CatalogueFilter } from "./catalogue-state.ts";

/** What an address lists: "?q=blue+mug&category=Kitchen". */
export function filterIn(search: string): CatalogueFilter {
  const parameters = new URLSearchParams(search);
  return { query: parameters.get("q") ?? "", category: parameters.get("category") ?? "" };
}

/** The address of a listing. */
export function listingPath({ query, category }: CatalogueFilter): string {
  const parameters = new URLSearchParams({
    ...(query.trim() && { q: query.trim() }),
    ...(category && { category }),
  });
  return parameters.size > 0 ? `/?${parameters}` : "/";
}

/** "3 products"; "48+ products" where there are more pages. */
export function hitsInWords(hits: number, hasMore: boolean): string {
  if (hits === 0) return "Nothing found";
  if (hasMore) return `${hits}+ products`;
  return hits === 1 ? "1 product" : `${hits} products`;
}
