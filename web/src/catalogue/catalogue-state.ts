import type { Product } from "@smartcart/gen/inventory/v1/product_pb";

/** Which products are listed. */
export interface CatalogueFilter {
  /** Words to search for; "" for all products. */
  readonly query: string;
  /** "" for all categories. */
  readonly category: string;
}

/** The products that the shop lists, page by page, in the order of the catalogue. */
export interface Listing extends CatalogueFilter {
  readonly productIds: readonly string[];
  readonly nextPageToken: string;
  /** "loading" the first page, while the products of the listing before are still there; "more": the next page. */
  readonly phase: "loading" | "more" | "ready";
}

/** The part of the catalogue that the page knows. */
export interface CatalogueState {
  readonly products: ReadonlyMap<string, Product>;
  /** Ids that were asked for and that the catalogue does not have. */
  readonly missing: ReadonlySet<string>;
  readonly listing: Listing;
  readonly categories: readonly string[];
  /**
   * "loading" until the first answer; "live" while changes of stock arrive; "stale" when they do not, and what is
   * shown may be old; "unreachable" when there is nothing to show.
   */
  readonly freshness: "loading" | "live" | "stale" | "unreachable";
}
