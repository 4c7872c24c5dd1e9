import type { Logger, Timer, WakeSignal } from "@smartcart/runtime";
import { createWakeSignal, startTimer } from "@smartcart/runtime";
import type { Product } from "../catalogue/catalogue.ts";

/** Follows stock for any number of watchers with one poller, which runs only while there are any. */
export interface StockFeed extends AsyncDisposable {
  /**
   * Yields the products as they are, then those that changed, whenever some did. Values that a slow reader did not
   * take in time are replaced by newer ones, never queued. Ends when the signal aborts or the feed is disposed.
   * `productIds` undefined means the first {@link maxWatchedInAll} by id, also those that are added later.
   */
  watch(productIds: readonly string[] | undefined, signal: AbortSignal): AsyncIterable<Product[]>;
  /** Call after this process changed stock: it is then read at once rather than at the next tick. */
  poke(): void;
}

interface Watcher {
  /** The version last put into `pending`, per product. */
  readonly seen: Map<string, bigint>;
  /** What the reader has not taken yet: the newest value per product. */
  readonly pending: Map<string, Product>;
  /** Undefined: all. */
  readonly productIds: ReadonlySet<string> | undefined;
  readonly wake: WakeSignal;
}

/** Products that a watcher of all of them gets at most: each read of the feed reads so many. */
export const maxWatchedInAll = 1_000;

/** Pokes closer together than this are left to the next tick: under load stock changes a thousand times per second. */
const minPokeGapMs = 50;

/** What a feed works with. */
export interface StockFeedOptions {
  /** Answers these products; undefined: the first {@link maxWatchedInAll} by id. */
  readonly read: (productIds: readonly string[] | undefined) => Promise<readonly Product[]>;
  /** Pause between two reads, in milliseconds. */
  readonly pollMs: number;
  readonly log: Logger;
}

/** Starts a feed without watchers. It polls from the first one on. */
export function startStockFeed(o: StockFeedOptions): StockFeed {
  return new PolledFeed(o);
}

class PolledFeed implements StockFeed {
  readonly #o: StockFeedOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #closing = new AbortController();
  #poller: Timer | undefined;
  #lastReadMs = 0;

  constructor(o: StockFeedOptions) {
    this.#o = o;
  }

  async *watch(productIds: readonly string[] | undefined, signal: AbortSignal) {
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const watcher: Watcher = {
      seen: new Map(),
      pending: new Map(),
      productIds: productIds && new Set(productIds),
      wake: createWakeSignal(),
    };
    // Joined before the first read: a change between that read and the next tick is not missed.
    this.#join(watcher);
    try {
      offer(watcher, await this.#o.read(productIds));
      while (!ended.aborted) {
        const changed = [...watcher.pending.values()];
        watcher.pending.clear();
        if (changed.length > 0) yield changed;
        else await watcher.wake.wait(ended);
      }
    } finally {
      await this.#leave(watcher);
    }
  }

  poke(): void {
    const isDue = performance.now() - this.#lastReadMs > minPokeGapMs;
    if (isDue) this.#poller?.poke();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#stopPolling();
  }

  #join(watcher: Watcher): void {
    this.#watchers.add(watcher);
    this.#poller ??= startTimer({
      name: "inventory.stock-feed",
      intervalMs: this.#o.pollMs,
      log: this.#o.log,
      run: () => this.#readForAll(),
    });
  }

  async #leave(watcher: Watcher): Promise<void> {
    this.#watchers.delete(watcher);
    if (this.#watchers.size === 0) await this.#stopPolling();
  }

  async #stopPolling(): Promise<void> {
    const last = this.#poller;
    this.#poller = undefined;
    await last?.[Symbol.asyncDispose]();
  }

  async #readForAll(): Promise<void> {
    if (this.#watchers.size === 0) return;
    this.#lastReadMs = performance.now();
    const watchers = [...this.#watchers];
    const [ofAll, ofSome] = [false, true].map((named) =>
      watchers.filter(({ productIds }) => (productIds !== undefined) === named),
    ) as [Watcher[], Watcher[]];
    const ids = new Set(ofSome.flatMap(({ productIds }) => [...(productIds ?? [])]));
    if (ids.size > 0) offerToEach(ofSome, await this.#o.read([...ids]));
    if (ofAll.length > 0) offerToEach(ofAll, await this.#o.read(undefined));
  }
}

function offerToEach(watchers: readonly Watcher[], products: readonly Product[]): void {
  for (const watcher of watchers) offer(watcher, products);
}

/** Keeps what is newer than what the watcher has seen; reads may overlap, so an older value can come second. */
function offer(watcher: Watcher, products: readonly Product[]): void {
  for (const product of products) {
    const { productId, version } = product;
    if (
      watcher.productIds?.has(productId) === false ||
      version <= (watcher.seen.get(productId) ?? -1n)
    )
      continue;
    watcher.seen.set(productId, version);
    watcher.pending.set(productId, product);
  }
  if (watcher.pending.size > 0) watcher.wake.notify();
}
