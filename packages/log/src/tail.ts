import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";
import { delay } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import { tooManyWatchers } from "./errors.ts";
import type { FoundRecord } from "./store.ts";
import { readBacklog, readForward, readHead } from "./store.ts";

/** Most records in one message of a stream: what a watcher holds in memory, however far it lags behind. */
const PAGE_SIZE = 500;
/** Another replica may store records, so the table is looked at even if nothing was stored here. */
const POLL_MS = 500;
/** A busy log is looked at no more often than this by each watcher. */
const SHORTEST_PAUSE_MS = 50;

/** Lets watchers follow the table. */
export interface Tail {
  /** Says that records were stored by this process: look now. */
  poke(): void;
  /**
   * Yields the newest `backlog` matching records, then each further one, in the order of storing, until the signal fires. It
   * reads at the pace of its consumer from a position of its own, so nothing piles up and nothing is left out.
   *
   * @throws DomainError TOO_MANY_WATCHERS
   */
  follow(
    filter: LogFilter | undefined,
    backlog: number,
    signal: AbortSignal,
  ): AsyncGenerator<FoundRecord[]>;
}

/** A tail for up to `maxWatchers` at once. */
export function createTail(database: Queryable, maxWatchers: number): Tail {
  let watchers = 0;
  let wake = new AbortController();

  async function untilPoked(signal: AbortSignal): Promise<void> {
    // Taken before the pause: what is stored during it counts.
    const woken = wake.signal;
    await delay(SHORTEST_PAUSE_MS, signal);
    if (woken.aborted) return;
    await delay(POLL_MS, AbortSignal.any([signal, woken])).catch(() => {});
  }

  async function* read(filter: LogFilter | undefined, backlog: number, signal: AbortSignal) {
    let position = await readHead(database);
    if (backlog > 0) yield await readBacklog(database, filter, position, backlog);
    while (!signal.aborted) {
      const woken = untilPoked(signal).catch(() => {});
      const upTo = await readHead(database);
      while (BigInt(position) < BigInt(upTo)) {
        const found = await readForward(database, filter, { after: position, upTo }, PAGE_SIZE);
        const last = found.length === PAGE_SIZE ? found.at(-1) : undefined;
        position = last?.position ?? upTo;
        if (found.length > 0) yield found;
      }
      await woken;
    }
  }

  return {
    poke() {
      wake.abort();
      wake = new AbortController();
    },
    async *follow(filter, backlog, signal) {
      if (watchers >= maxWatchers) throw tooManyWatchers(maxWatchers);
      watchers += 1;
      try {
        for await (const found of read(filter, backlog, signal)) {
          if (found.length > 0) yield found;
        }
      } finally {
        watchers -= 1;
      }
    },
  };
}
