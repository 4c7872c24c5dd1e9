import { untilAborted } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import type { SearchableRecord } from "./filter.ts";
import { searchTextOf } from "./filter.ts";
import type { FoundRecord } from "./store.ts";
import { readForward, readHead } from "./store.ts";

/** Lines that are read at once. */
const PAGE_SIZE = 500;
/** What is kept; a follower that is further behind reads the table. */
const MAX_LINES = 5000;
const MAX_CHARACTERS = 8_000_000;

/** A line with its place in the table. */
export interface RecentLine extends FoundRecord, SearchableRecord {
  readonly at: bigint;
}

/** The lines that were stored since the first look. They are read once, however many follow them. */
export interface RecentLines {
  /** Reads what is new. A call during a look shares it. */
  look(): Promise<void>;
  /** The position of the newest line that was read. */
  head(): bigint;
  /** Up to `limit` lines after a position, oldest first; undefined where some of them are not kept any more. */
  after(position: bigint, limit: number): readonly RecentLine[] | undefined;
  /** Resolves when there is something after that position, or the signal fires. Rejects when a look fails. */
  untilAfter(position: bigint, signal: AbortSignal): Promise<void>;
}

/** Nothing is read yet. */
export function createRecentLines(database: Queryable): RecentLines {
  const lines: RecentLine[] = [];
  const waiting = new Set<PromiseWithResolvers<void>>();
  let characters = 0;
  /** Everything after `start` and up to `head` is in `lines`; undefined before the first look. */
  let start: bigint | undefined;
  let head = 0n;
  let looking: Promise<void> | undefined;

  function keep(found: readonly FoundRecord[]): void {
    for (const record of found) {
      head = BigInt(record.position);
      const searchText = searchTextOf(record);
      characters += searchText.length;
      lines.push({ ...record, searchText, at: head });
    }
    let dropped = 0;
    for (const { at, searchText } of lines) {
      if (lines.length - dropped <= MAX_LINES && characters <= MAX_CHARACTERS) break;
      dropped += 1;
      characters -= searchText.length;
      start = at;
    }
    lines.splice(0, dropped);
  }

  async function read(): Promise<void> {
    if (start === undefined) {
      start = head = BigInt(await readHead(database));
      return;
    }
    const found = await readForward(database, undefined, { after: `${head}` }, PAGE_SIZE);
    keep(found);
    if (found.length > 0) settle(({ resolve }) => resolve());
    if (found.length === PAGE_SIZE) await read();
  }

  function settle(how: (waiter: PromiseWithResolvers<void>) => void): void {
    for (const waiter of waiting) how(waiter);
    waiting.clear();
  }

  return {
    look() {
      looking ??= read()
        .catch((error: unknown) => {
          settle(({ reject }) => reject(error));
          throw error;
        })
        .finally(() => {
          looking = undefined;
        });
      return looking;
    },
    head: () => head,
    after(position, limit) {
      if (start === undefined || position < start) return undefined;
      const first = firstAfter(lines, position);
      return lines.slice(first, first + limit);
    },
    async untilAfter(position, signal) {
      if (head > position || signal.aborted) return;
      const waiter = Promise.withResolvers<void>();
      waiting.add(waiter);
      try {
        await untilAborted(waiter.promise, signal);
      } finally {
        waiting.delete(waiter);
      }
    },
  };
}

/** The index of the first line after a position, by halves. */
function firstAfter(lines: readonly RecentLine[], position: bigint): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.at ?? 0n) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
