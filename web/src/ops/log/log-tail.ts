import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { LiveStream, StreamState } from "../live-stream.ts";
import { startLiveStream } from "../live-stream.ts";
import type { LogLines } from "./log-lines.ts";
import { addLines, addOlder, MAX_LINES, noLines, release } from "./log-lines.ts";
import type { LogQuery } from "./log-query.ts";
import { filterOf, logQueryIn } from "./log-query.ts";

/** The central log, followed and looked up. */
export interface LogTail {
  query(): LogQuery;
  lines(): LogLines;
  state(): StreamState;
  /** Whether new lines wait instead of being shown. */
  held(): boolean;
  hold(held: boolean): void;
  /** Asks for something else; what was shown goes. */
  ask(query: LogQuery): void;
  /** Looks further back than the lines that are shown, which are held from then on. */
  older(): Promise<void>;
  /** "loading", "end" when there is nothing further back, or what went wrong. */
  olderNote(): string;
  restart(): void;
}

/** A service that logs a thousand lines a second must not mean a thousand pictures a second. */
const FLUSH_MS = 250;

/** Lines of a page of the past. */
const PAGE_SIZE = 100;

export function createLogTail({ shop, logs, access, signal }: Console): LogTail {
  let query = logQueryIn(location.search);
  let lines = noLines;
  let held = false;
  let olderNote = "";
  let buffer: LogRecord[] = [];
  let flushing: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    flushing = undefined;
    lines = addLines(lines, buffer, held);
    buffer = [];
    if (!signal.aborted) shop.refresh();
  };
  const stream: LiveStream = startLiveStream({
    open: (ended) =>
      logs.tailLogs({ filter: filterOf(query), backlog: PAGE_SIZE }, { signal: ended }),
    onMessage({ records }, first) {
      // A new connection begins with the newest lines; what was between may be missing, so it begins anew.
      if (first && !held) lines = noLines;
      buffer = [...buffer, ...records].slice(-MAX_LINES);
      if (flushing === undefined) flushing = setTimeout(flush, FLUSH_MS);
    },
    isDenied: access.isDenied,
    signal,
  });
  stream.subscribe(shop.refresh);

  const older = async (): Promise<void> => {
    const oldest = lines.shown.at(-1)?.occurredAt;
    const asked = query;
    held = true;
    olderNote = "loading";
    shop.refresh();
    try {
      // Lines of the same millisecond come again and are dropped as known.
      const until = oldest && { until: timestampFromMs(timestampMs(oldest) + 1) };
      const filter = { ...filterOf(query), ...until };
      const { records } = await logs.searchLogs(
        { filter, pageSize: PAGE_SIZE },
        { signal, timeoutMs: 6_000 },
      );
      if (asked !== query) return;
      const before = lines;
      lines = addOlder(lines, records);
      olderNote = lines.shown.length === before.shown.length ? "end" : "";
    } catch (error) {
      signal.throwIfAborted();
      olderNote = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };

  return {
    query: () => query,
    lines: () => lines,
    state: stream.get,
    held: () => held,
    hold(next) {
      held = next;
      if (!held) lines = release(lines);
      if (!held) olderNote = "";
      shop.refresh();
    },
    ask(next) {
      query = next;
      [lines, buffer, held, olderNote] = [noLines, [], false, ""];
      stream.restart();
      shop.refresh();
    },
    older,
    olderNote: () => olderNote,
    restart: stream.restart,
  };
}
