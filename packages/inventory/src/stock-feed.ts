import type { Logger, WakeSignal } from "@smartcart/runtime";
import { createWakeSignal, startTimer } from "@smartcart/runtime";
import type { Product } from "./catalogue.ts";

/** Follows stock for any number of watchers with one poller, which runs only while somebody watches. */
export interface StockFeed extends AsyncDisposable {
  /**
   * Yields the products as they are, then those that changed, whenever some did. Values that a slow reader did not
   * take in time are replaced by newer ones, never queued. Ends when the signal aborts or the feed is disposed.
   * `productIds` undefined means all, also those that are added later.
   */
  watch(productIds: readonly string[] | undefined, signal: AbortSignal): AsyncIterable<Product[]>;
  /** Says that stock was changed by this process: it is then read at once rather than at the next tick. */
  poke(): void;
}

interface Watcher {
  /** The version last put into `pending`, per product. */
  readonly seen: Map<string, bigint>;
  /** What the reader has not taken yet: the newest value per product. */
  readonly pending: Map<string, Product>;
  readonly wants: (productId: string) => boolean;
  readonly wake: WakeSignal;
}

/** Pokes closer together than this are left to the next tick: under load stock changes a thousand times a second. */
const minPokeGapMs = 50;

/** Starts a feed over `read`, which answers the whole catalogue. */
export function startStockFeed(o: {
  readonly read: () => Promise<readonly Product[]>;
  /** Pause between two reads, in milliseconds. */
  readonly pollMs: number;
  readonly log: Logger;
}): StockFeed {
  const watchers = new Set<Watcher>();
  const closing = new AbortController();
  let poller: ReturnType<typeof startTimer> | undefined;
  let lastReadMs = 0;

  async function readForAll(): Promise<void> {
    if (watchers.size === 0) return;
    lastReadMs = performance.now();
    const products = await o.read();
    for (const watcher of watchers) offer(watcher, products);
  }

  function join(watcher: Watcher): void {
    watchers.add(watcher);
    poller ??= startTimer({
      name: "inventory.stock-feed",
      intervalMs: o.pollMs,
      log: o.log,
      run: readForAll,
    });
  }

  async function leave(watcher: Watcher): Promise<void> {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    const last = poller;
    poller = undefined;
    await last?.[Symbol.asyncDispose]();
  }

  return {
    async *watch(productIds, signal) {
      const ended = AbortSignal.any([signal, closing.signal]);
      const wanted = productIds && new Set(productIds);
      const watcher: Watcher = {
        seen: new Map(),
        pending: new Map(),
        wants: (productId) => wanted?.has(productId) ?? true,
        wake: createWakeSignal(),
      };
      // Joined before the first read: a change between that read and the next tick is not missed.
      join(watcher);
      try {
        offer(watcher, await o.read());
        while (!ended.aborted) {
          const changed = [...watcher.pending.values()];
          watcher.pending.clear();
          if (changed.length > 0) yield changed;
          else await watcher.wake.wait(ended);
        }
      } finally {
        await leave(watcher);
      }
    },
    poke() {
      if (poller && performance.now() - lastReadMs > minPokeGapMs) poller.poke();
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      const last = poller;
      poller = undefined;
      await last?.[Symbol.asyncDispose]();
    },
  };
}

/** Keeps what is newer than what the watcher has seen; reads may overlap, so an older value can come second. */
function offer(watcher: Watcher, products: readonly Product[]): void {
  for (const product of products) {
    const { productId, version } = product;
    if (!watcher.wants(productId) || version <= (watcher.seen.get(productId) ?? -1n)) continue;
    watcher.seen.set(productId, version);
    watcher.pending.set(productId, product);
  }
  if (watcher.pending.size > 0) watcher.wake.notify();
}
