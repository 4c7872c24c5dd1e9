import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";
import type { Logger } from "@smartcart/runtime";
import { delay, startTimer } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { tooManyWatchers } from "./errors.ts";
import { createMatcher } from "./filter.ts";
import type { FoundRecord } from "./read-records.ts";
import { readBacklog, readForward } from "./read-records.ts";
import type { Readings } from "./readings.ts";
import { RecentLines } from "./recent-lines.ts";

/** Most records in one message of a stream: what a watcher holds in memory, however far it lags behind. */
const PAGE_SIZE = 500;
/** Another replica may store records, so the table is looked at even if nothing was stored here. */
const POLL_MS = 500;
/** A busy log is looked at no more often than this. */
const SHORTEST_PAUSE_MS = 50;
/** Lines that all watchers together are sent in a second; each costs some 20 µs of the processor. */
const LINES_PER_SECOND = 5000;
/** How far they may be ahead of it. */
const BURST_MS = 1000;
/** A backlog without an order or a trace, for which there are indexes, is looked for among so many of the newest lines. */
const BACKLOG_REACH = 50_000;

/** Lets watchers follow the table. */
export interface Tail extends AsyncDisposable {
  /** Says that records were stored by this process: look now. */
  poke(): void;
  /**
   * Yields the newest `backlog` matching records, then each further one, in the order of storing, until the signal fires. It
   * reads at the pace of its consumer from a position of its own, so nothing piles up and nothing is left out.
   *
   * @throws DomainError TOO_MANY_WATCHERS, TOO_MANY_SEARCHES
   */
  follow(
    filter: LogFilter | undefined,
    backlog: number,
    signal: AbortSignal,
  ): AsyncGenerator<FoundRecord[]>;
}

/** What a tail works with. */
export interface TailOptions {
  readonly database: Database;
  readonly readings: Readings;
  readonly log: Logger;
  /** Most watchers at once. */
  readonly maxWatchers: number;
}

/** A tail without streams. It makes no query until the first one opens. */
export function createTail({ database, readings, log, maxWatchers }: TailOptions): Tail {
  let watchers = 0;
  let recent: RecentLines | undefined;
  const pace = createPace();
  const timer = startTimer({
    name: "log.tail",
    intervalMs: POLL_MS,
    log,
    async run(signal) {
      if (recent === undefined) return;
      await recent.look();
      await delay(SHORTEST_PAUSE_MS, signal);
    },
  });
  return {
    poke() {
      if (recent !== undefined) timer.poke();
    },
    async *follow(filter, backlog, signal) {
      if (watchers >= maxWatchers) throw tooManyWatchers(maxWatchers);
      watchers += 1;
      recent ??= new RecentLines(database);
      try {
        for await (const found of read({ readings, filter, signal }, recent, backlog)) {
          if (found.length === 0) continue;
          await pace(found.length, signal);
          yield found;
        }
      } finally {
        watchers -= 1;
        if (watchers === 0) recent = undefined;
      }
    },
    [Symbol.asyncDispose]: () => timer[Symbol.asyncDispose](),
  };
}

/** What one watcher asks for. */
interface Watch {
  readonly readings: Readings;
  readonly filter: LogFilter | undefined;
  readonly signal: AbortSignal;
}

/** The backlog, then what comes: from the lines that all watchers share, or from the table where those do not reach back far enough. */
async function* read(watch: Watch, lines: RecentLines, backlog: number) {
  const { filter, signal } = watch;
  await lines.look();
  let position = lines.head();
  if (backlog > 0) yield await readNewest(watch, position, backlog);
  const matches = createMatcher(filter);
  while (!signal.aborted) {
    const news = lines.after(position, PAGE_SIZE);
    const last = news?.at(-1);
    if (news === undefined) {
      const upTo = lines.head();
      const found = await readBehind(watch, position, upTo);
      position = found.length === PAGE_SIZE ? BigInt(found.at(-1)?.position ?? upTo) : upTo;
      yield found;
    } else if (last === undefined) {
      await lines.untilAfter(position, signal);
    } else {
      position = last.at;
      yield news.filter(matches);
    }
  }
}

function readNewest(
  { readings, filter, signal }: Watch,
  head: bigint,
  backlog: number,
): Promise<FoundRecord[]> {
  const isIndexed = Boolean(filter?.orderId || filter?.traceId);
  const range = { upTo: `${head}`, reach: isIndexed ? Number.POSITIVE_INFINITY : BACKLOG_REACH };
  return readings.search(signal, (tx) => readBacklog(tx, filter, range, backlog));
}

async function readBehind(
  { readings, filter, signal }: Watch,
  after: bigint,
  upTo: bigint,
): Promise<FoundRecord[]> {
  const range = { after: `${after}`, upTo: `${upTo}` };
  const found = await readings.catchUp(signal, (tx) => readForward(tx, filter, range, PAGE_SIZE));
  return found ?? [];
}

/** Waits until so many more lines may be sent. */
function createPace(): (lines: number, signal: AbortSignal) => Promise<void> {
  let paidUntilMs = 0;
  return async (lines, signal) => {
    const nowMs = performance.now();
    paidUntilMs = Math.max(paidUntilMs, nowMs) + (lines * 1000) / LINES_PER_SECOND;
    const aheadMs = paidUntilMs - nowMs - BURST_MS;
    if (aheadMs > 0) await delay(aheadMs, signal).catch(() => {});
  };
}
