import { untilAborted } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import type { SearchableRecord } from "./filter.ts";
import { searchTextOf } from "./filter.ts";
import type { FoundRecord } from "./read-records.ts";
import { readForward, readHead } from "./read-records.ts";

/** Lines that are read at once. */
const pageSize = 500;
/** What is kept; a follower that is further behind reads the table. */
const maxLines = 5000;
const maxCharacters = 8_000_000;

/** A line with its place in the table. */
export interface RecentLine extends FoundRecord, SearchableRecord {
  readonly at: bigint;
}

/** The lines that were stored since the first look. They are read once, however many follow them. */
export class RecentLines {
  readonly #database: Queryable;
  readonly #lines: RecentLine[] = [];
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  #characters = 0;
  /** Everything after `#start` and up to `#head` is in `#lines`; undefined before the first look. */
  #start: bigint | undefined;
  #head = 0n;
  #looking: Promise<void> | undefined;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** Reads what is new. A call during a look shares it. */
  look(): Promise<void> {
    this.#looking ??= this.#read()
      .catch((error: unknown) => {
        this.#settle(({ reject }) => reject(error));
        throw error;
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** The position of the newest line that was read. */
  head(): bigint {
    return this.#head;
  }

  /** Up to `limit` lines after a position, oldest first; undefined where some of them are not kept any more. */
  after(position: bigint, limit: number): readonly RecentLine[] | undefined {
    if (this.#start === undefined || position < this.#start) return undefined;
    const first = firstAfter(this.#lines, position);
    return this.#lines.slice(first, first + limit);
  }

  /** Resolves when there is something after that position, or the signal fires. Rejects when a look fails. */
  async untilAfter(position: bigint, signal: AbortSignal): Promise<void> {
    if (this.#head > position || signal.aborted) return;
    const waiter = Promise.withResolvers<void>();
    this.#waiting.add(waiter);
    try {
      await untilAborted(waiter.promise, signal);
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  async #read(): Promise<void> {
    if (this.#start === undefined) {
      this.#start = this.#head = BigInt(await readHead(this.#database));
      return;
    }
    const range = { after: `${this.#head}` };
    const found = await readForward(this.#database, undefined, range, pageSize);
    this.#keep(found);
    if (found.length > 0) this.#settle(({ resolve }) => resolve());
    if (found.length === pageSize) await this.#read();
  }

  #keep(found: readonly FoundRecord[]): void {
    const lines = this.#lines;
    for (const record of found) {
      const at = BigInt(record.position);
      const searchText = searchTextOf(record);
      this.#head = at;
      this.#characters += searchText.length;
      lines.push({ ...record, searchText, at });
    }
    let dropped = 0;
    for (const { at, searchText } of lines) {
      if (lines.length - dropped <= maxLines && this.#characters <= maxCharacters) break;
      dropped += 1;
      this.#characters -= searchText.length;
      this.#start = at;
    }
    lines.splice(0, dropped);
  }

  #settle(how: (waiter: PromiseWithResolvers<void>) => void): void {
    for (const waiter of this.#waiting) how(waiter);
    this.#waiting.clear();
  }
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
