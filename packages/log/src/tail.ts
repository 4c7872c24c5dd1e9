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
const pageSize = 500;
/** Another replica may store records, so the table is looked at even if nothing was stored here. */
const pollMs = 500;
/** A busy log is looked at no more often than this. */
const shortestPauseMs = 50;
/** Lines that all watchers together are sent in a second; each costs some 20 µs of the processor. */
const linesPerSecond = 5000;
/** How far they may be ahead of it. */
const burstMs = 1000;
/** A backlog without an order or a trace has no index: it is searched in this many of the newest lines. */
const backlogReach = 50_000;

/** Lets watchers follow the table. */
export interface Tail extends AsyncDisposable {
  /** Call after this process stored records: they are then read at once. */
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
    intervalMs: pollMs,
    log,
    async run(signal) {
      if (recent === undefined) return;
      await recent.look();
      await delay(shortestPauseMs, signal);
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
    const news = lines.after(position, pageSize);
    const last = news?.at(-1);
    if (news === undefined) {
      const upTo = lines.head();
      const found = await readBehind(watch, position, upTo);
      position = found.length === pageSize ? BigInt(found.at(-1)?.position ?? upTo) : upTo;
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
  const range = { upTo: `${head}`, reach: isIndexed ? Number.POSITIVE_INFINITY : backlogReach };
  return readings.search(signal, (tx) => readBacklog(tx, filter, range, backlog));
}

async function readBehind(
  { readings, filter, signal }: Watch,
  after: bigint,
  upTo: bigint,
): Promise<FoundRecord[]> {
  const range = { after: `${after}`, upTo: `${upTo}` };
  const found = await readings.catchUp(signal, (tx) => readForward(tx, filter, range, pageSize));
  return found ?? [];
}

/** Waits until so many more lines may be sent. */
function createPace(): (lines: number, signal: AbortSignal) => Promise<void> {
  let paidUntilMs = 0;
  return async (lines, signal) => {
    const nowMs = performance.now();
    paidUntilMs = Math.max(paidUntilMs, nowMs) + (lines * 1000) / linesPerSecond;
    const aheadMs = paidUntilMs - nowMs - burstMs;
    if (aheadMs > 0) await delay(aheadMs, signal).catch(() => {});
  };
}
