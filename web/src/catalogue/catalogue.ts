import type { Product } from "@smartcart/gen/inventory/v1/product_pb";
import type { InventoryClient } from "../api/inventory.ts";
import { backoffMs, pause } from "../backoff.ts";
import type { Observable } from "../observable.ts";
import { createObservable } from "../observable.ts";
import { mergeProducts } from "./product.ts";

/** The catalogue as the page knows it. */
export interface CatalogueState {
  /** In the order of the catalogue. */
  readonly products: readonly Product[];
  /**
   * "loading" until the first answer; "live" while changes of stock arrive; "stale" when they do not, and what is
   * shown may be old; "unreachable" when there is nothing to show.
   */
  readonly freshness: "loading" | "live" | "stale" | "unreachable";
}

/** A live catalogue that several views share. */
export interface Catalogue extends Pick<Observable<CatalogueState>, "get" | "subscribe"> {
  find(productId: string): Product | undefined;
  /** Keeps it live until the returned function is called. It sleeps while the page is hidden. */
  use(): () => void;
}

export function createCatalogue(client: InventoryClient): Catalogue {
  const state = createObservable<CatalogueState>({ products: [], freshness: "loading" });
  let users = 0;
  let running: AbortController | undefined;

  // A browser has six HTTP/1.1 connections to an origin, and a stream holds one: hidden tabs give theirs back.
  const adjust = (): void => {
    const wanted = users > 0 && !document.hidden;
    if (wanted && !running) {
      running = new AbortController();
      keepFresh(client, state, running.signal).catch(() => {});
    } else if (!wanted && running) {
      running.abort();
      running = undefined;
    }
  };
  document.addEventListener("visibilitychange", adjust);

  return {
    get: state.get,
    subscribe: state.subscribe,
    find: (productId) => state.get().products.find((product) => product.productId === productId),
    use() {
      users += 1;
      adjust();
      return () => {
        users -= 1;
        // Two views that follow one another share the stream.
        setTimeout(adjust);
      };
    },
  };
}

/** Lists the catalogue, follows its stock, and begins again with backoff whenever that ends. Rejects when aborted. */
async function keepFresh(
  client: InventoryClient,
  state: Observable<CatalogueState>,
  signal: AbortSignal,
): Promise<never> {
  for (let failures = 0; ; failures += 1) {
    try {
      state.set({ ...state.get(), products: await listProducts(client, signal) });
      for await (const { products } of client.watchStock({}, { signal })) {
        failures = 0;
        state.set({ products: mergeProducts(state.get().products, products), freshness: "live" });
      }
    } catch {
      signal.throwIfAborted();
    }
    const { products } = state.get();
    state.set({ products, freshness: products.length > 0 ? "stale" : "unreachable" });
    await pause(backoffMs(failures, Math.random()), signal);
  }
}

/** Every page of the catalogue. */
async function listProducts(
  client: InventoryClient,
  signal: AbortSignal,
): Promise<readonly Product[]> {
  const products: Product[] = [];
  let pageToken = "";
  do {
    const page = await client.listProducts(
      { pageSize: 200, pageToken },
      { signal, timeoutMs: 5_000 },
    );
    products.push(...page.products);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return products;
}
