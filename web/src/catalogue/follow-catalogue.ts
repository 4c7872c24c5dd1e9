import { Code, ConnectError } from "@connectrpc/connect";
import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import type { InventoryClient } from "../api/inventory.ts";
import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import type { CatalogueState } from "./catalogue-state.ts";
import { mergeProducts } from "./product.ts";

/** What a follower works on. */
export interface CatalogueFollower {
  readonly client: InventoryClient;
  readonly state: Observable<CatalogueState>;
  /** Ids of products that are shown beside those listed. */
  readonly wanted: () => readonly string[];
  /** A signal that is aborted when something else is to be listed or followed. */
  readonly nextRound: () => AbortSignal;
}

/** Products of a page: full rows of a grid of two, three or four columns. */
const pageSize = 48;
/** Most ids in a call, by the contract. */
const maxIds = 200;
const timeoutMs = 5_000;

/**
 * Loads what is to be listed and what is wanted, then follows the stock of it over one stream; begins again when
 * something else is asked for, and with backoff when that ends. Rejects when aborted.
 */
export async function followCatalogue(
  follower: CatalogueFollower,
  signal: AbortSignal,
): Promise<never> {
  const { state } = follower;
  for (let failures = 0; ; failures += 1) {
    const round = AbortSignal.any([signal, follower.nextRound()]);
    try {
      await loadListing(follower, round);
      await loadWanted(follower, round);
      for await (const products of watch(follower, round)) {
        failures = 0;
        learn(state, products, { freshness: "live" });
      }
    } catch (error) {
      signal.throwIfAborted();
      if (round.aborted) {
        failures = -1;
        continue;
      }
      if (ConnectError.from(error).code === Code.NotFound) forget(state);
    }
    const freshness = state.get().products.size > 0 ? "stale" : "unreachable";
    state.set({ ...state.get(), freshness });
    // Another wish ends the pause.
    await pause(backoffMs(Math.max(0, failures), Math.random()), round).catch(() => {});
    signal.throwIfAborted();
  }
}

async function loadListing(
  { client, state }: CatalogueFollower,
  signal: AbortSignal,
): Promise<void> {
  const { listing, categories } = state.get();
  if (listing.phase === "ready") return;
  const { query, category, nextPageToken: pageToken, phase } = listing;
  const call = { signal, timeoutMs: timeoutMs };
  const [page, { categories: names }] = await Promise.all([
    client.listProducts({ pageSize: pageSize, pageToken, query, category }, call),
    categories.length > 0 ? { categories: [...categories] } : client.listCategories({}, call),
  ]);
  // Something else may be listed since the answer came.
  signal.throwIfAborted();
  const before = phase === "more" ? listing.productIds : [];
  learn(state, page.products, {
    categories: names,
    listing: {
      ...listing,
      productIds: [...before, ...page.products.map(({ productId }) => productId)],
      nextPageToken: page.nextPageToken,
      phase: "ready",
    },
  });
}

/** Those that are not known yet; the stream brings the others up to date. */
async function loadWanted(
  { client, state, wanted }: CatalogueFollower,
  signal: AbortSignal,
): Promise<void> {
  const { products, missing } = state.get();
  const productIds = wanted()
    .filter((id) => !products.has(id) && !missing.has(id))
    .slice(0, maxIds);
  if (productIds.length === 0) return;
  const found = await client.batchGetProducts({ productIds }, { signal, timeoutMs: timeoutMs });
  const known = new Set(found.products.map(({ productId }) => productId));
  const absent = productIds.filter((id) => !known.has(id));
  learn(state, found.products, { missing: new Set([...missing, ...absent]) });
}

/** Of a listing that is longer than what one stream follows, the end is followed: that is where the customer is. */
async function* watch(
  { client, state, wanted }: CatalogueFollower,
  signal: AbortSignal,
): AsyncIterable<readonly Product[]> {
  const { products, listing } = state.get();
  const ids = [...new Set([...wanted(), ...listing.productIds.toReversed()])];
  const productIds = ids.filter((id) => products.has(id)).slice(0, maxIds);
  if (productIds.length === 0) {
    yield [];
    await new Promise((_, reject) => signal.addEventListener("abort", reject));
  }
  for await (const answer of client.watchStock({ productIds }, { signal })) yield answer.products;
}

function learn(
  state: Observable<CatalogueState>,
  products: readonly Product[],
  next: Partial<CatalogueState>,
): void {
  const known = state.get();
  state.set({ ...known, products: mergeProducts(known.products, products), ...next });
}

/** The shop has another catalogue than before. */
function forget(state: Observable<CatalogueState>): void {
  const { listing } = state.get();
  state.set({
    ...state.get(),
    products: new Map(),
    missing: new Set(),
    categories: [],
    listing: { ...listing, productIds: [], nextPageToken: "", phase: "loading" },
  });
}
