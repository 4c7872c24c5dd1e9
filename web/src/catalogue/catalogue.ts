import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import type { InventoryClient } from "../api/inventory.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import type { Amount } from "../ui/money.ts";
import type { CatalogueFilter, CatalogueState, Listing } from "./catalogue-state.ts";
import { followCatalogue } from "./follow-catalogue.ts";
import { mergeProducts } from "./product.ts";

/** A live part of the catalogue that several views share. */
export interface Catalogue extends Pick<Observable<CatalogueState>, "get" | "subscribe"> {
  find(productId: string): Product | undefined;
  /** Lists these products, from the first page on; does nothing where they are listed already. */
  list(filter: CatalogueFilter): void;
  /** Lists the next page as well. */
  more(): void;
  /** Follows these products, listed or not, until the returned function is called. */
  want(productIds: () => readonly string[]): () => void;
  /** What is wanted may be more now. */
  changed(): void;
  /** Shows these prices, which a refused order brought, until newer ones arrive. */
  learnPrices(prices: ReadonlyMap<string, Amount>): void;
}

const emptyListing: Listing = {
  query: "",
  category: "",
  productIds: [],
  nextPageToken: "",
  phase: "ready",
};

const nothingKnown: CatalogueState = {
  products: new Map(),
  missing: new Set(),
  listing: emptyListing,
  categories: [],
  freshness: "loading",
};

/** Begins with nothing. It sleeps while nothing is wanted and while the page is hidden. */
export function createCatalogue(client: InventoryClient): Catalogue {
  const state = createObservable(nothingKnown);
  const wishes = new Set<() => readonly string[]>();
  let running: AbortController | undefined;
  let round = new AbortController();

  const follower = {
    client,
    state,
    wanted: () => [...new Set([...wishes].flatMap((wish) => wish()))],
    nextRound() {
      round = new AbortController();
      return round.signal;
    },
  };
  // A browser has six HTTP/1.1 connections to an origin, and a stream holds one: hidden tabs give theirs back.
  const adjust = (): void => {
    const isNeeded = wishes.size > 0 && !document.hidden;
    if (isNeeded && !running) {
      running = new AbortController();
      followCatalogue(follower, running.signal).catch(() => {});
    } else if (!isNeeded && running) {
      running.abort();
      running = undefined;
    }
  };
  document.addEventListener("visibilitychange", adjust);

  /** Takes a new state, and begins a new round for what it asks for. */
  const ask = (next: CatalogueState | undefined): void => {
    if (!next) return;
    state.set(next);
    round.abort();
  };
  return {
    get: state.get,
    subscribe: state.subscribe,
    find: (productId) => state.get().products.get(productId),
    list: (filter) => ask(withListing(state.get(), filter)),
    more: () => ask(withNextPage(state.get())),
    want(productIds) {
      wishes.add(productIds);
      adjust();
      return () => {
        wishes.delete(productIds);
        // Two views that follow one another share the stream.
        setTimeout(adjust);
      };
    },
    changed() {
      const { products, missing } = state.get();
      if (follower.wanted().some((id) => !products.has(id) && !missing.has(id))) round.abort();
    },
    learnPrices: (prices) => state.set(withPrices(state.get(), prices)),
  };
}

/** Undefined where that is listed already. */
function withListing(
  state: CatalogueState,
  { query, category }: CatalogueFilter,
): CatalogueState | undefined {
  const { listing } = state;
  const isSame = listing.query === query && listing.category === category;
  if (isSame && listing !== emptyListing) return undefined;
  return {
    ...state,
    listing: { ...listing, query, category, nextPageToken: "", phase: "loading" },
  };
}

/** Undefined where there is no further page, or none yet. */
function withNextPage(state: CatalogueState): CatalogueState | undefined {
  const { listing } = state;
  if (listing.phase !== "ready" || listing.nextPageToken === "") return undefined;
  return { ...state, listing: { ...listing, phase: "more" } };
}

function withPrices(state: CatalogueState, prices: ReadonlyMap<string, Amount>): CatalogueState {
  const changed = [...prices].flatMap(([productId, { currencyCode = "", minorUnits = 0 }]) => {
    const product = state.products.get(productId);
    if (!product?.price) return [];
    return [
      { ...product, price: { ...product.price, currencyCode, minorUnits: BigInt(minorUnits) } },
    ];
  });
  return { ...state, products: mergeProducts(state.products, changed) };
}
