import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { LiveStream, StreamState } from "../live-stream.ts";
import { startLiveStream } from "../live-stream.ts";
import type { LogLines } from "./log-lines.ts";
import { addLines, addOlder, maxLines, noLines, release } from "./log-lines.ts";
import type { LogQuery } from "./log-query.ts";
import { filterOf, logQueryIn } from "./log-query.ts";

/** The central log: a live tail, and pages of older records. */
export interface LogTail {
  query(): LogQuery;
  lines(): LogLines;
  state(): StreamState;
  /** Whether new lines wait instead of being shown. */
  held(): boolean;
  hold(held: boolean): void;
  /** Replaces the query and the lines that are shown. */
  ask(query: LogQuery): void;
  /** Loads lines older than those that are shown, and holds new ones from then on. */
  older(): Promise<void>;
  /** "loading", "end" if there are no older lines, or an error message. */
  olderNote(): string;
  restart(): void;
  /** Streams, with the query in an address: "?log=ORD-1". */
  follow(search: string): void;
  /** Ends the stream until `follow`: the log is not on the page. */
  rest(): void;
}

/** Interval between redraws, in milliseconds, however many lines arrive per second. */
const flushMs = 250;

/** Lines per page of older records. */
const pageSize = 100;

interface State {
  query: LogQuery;
  lines: LogLines;
  held: boolean;
  olderNote: string;
  /** Lines that arrived since the last redraw. */
  buffer: LogRecord[];
  /** Whether the log is not on the page, so that the stream is closed. */
  resting: boolean;
}

/** Draws every 250 ms at most, however many lines arrive. The stream stays closed until `follow`. */
export function createLogTail(operations: Console): LogTail {
  const { shop, logs, access, signal } = operations;
  const fresh = { lines: noLines, held: false, olderNote: "", buffer: [] };
  const state: State = { ...fresh, query: logQueryIn(""), resting: true };
  let flushing: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    flushing = undefined;
    state.lines = addLines(state.lines, state.buffer, state.held);
    state.buffer = [];
    if (!signal.aborted) shop.refresh();
  };
  const stream: LiveStream = startLiveStream({
    open: (ended) =>
      logs.tailLogs({ filter: filterOf(state.query), backlog: pageSize }, { signal: ended }),
    onMessage({ records }, first) {
      // A new connection starts with the newest lines. Lines before them may be missing, so the list starts anew.
      if (first && !state.held) state.lines = noLines;
      state.buffer = [...state.buffer, ...records].slice(-maxLines);
      if (flushing === undefined) flushing = setTimeout(flush, flushMs);
    },
    isDenied: access.isDenied,
    isPaused: () => state.resting,
    signal,
  });
  stream.subscribe(shop.refresh);

  return {
    query: () => state.query,
    lines: () => state.lines,
    state: stream.get,
    held: () => state.held,
    hold(held) {
      state.held = held;
      if (!held) state.lines = release(state.lines);
      if (!held) state.olderNote = "";
      shop.refresh();
    },
    ask(query) {
      Object.assign(state, fresh, { query });
      stream.restart();
      shop.refresh();
    },
    older: () => loadOlder(operations, state),
    olderNote: () => state.olderNote,
    restart: stream.restart,
    follow(search) {
      const query = logQueryIn(search);
      if (!state.resting && query.words === state.query.words) return;
      Object.assign(state, fresh, { query, resting: false });
      stream.restart();
    },
    rest() {
      if (state.resting) return;
      state.resting = true;
      stream.restart();
    },
  };
}

async function loadOlder(operations: Console, state: State): Promise<void> {
  const { shop, access, signal } = operations;
  const { query } = state;
  state.held = true;
  state.olderNote = "loading";
  shop.refresh();
  try {
    const oldest = state.lines.shown.at(-1)?.occurredAt;
    const records = await recordsBefore(operations, query, oldest);
    if (query !== state.query) return;
    const before = state.lines;
    state.lines = addOlder(before, records);
    state.olderNote = state.lines.shown.length === before.shown.length ? "end" : "";
  } catch (error) {
    signal.throwIfAborted();
    state.olderNote = access.isDenied(error) ? "" : complaintOf(error);
  }
  shop.refresh();
}

/** The newest records up to the time of `oldest`. Records of the same millisecond are included again: the caller drops known ones. */
async function recordsBefore(
  { logs, signal }: Console,
  query: LogQuery,
  oldest: Timestamp | undefined,
): Promise<readonly LogRecord[]> {
  const until = oldest && { until: timestampFromMs(timestampMs(oldest) + 1) };
  const filter = { ...filterOf(query), ...until };
  const { records } = await logs.searchLogs(
    { filter, pageSize: pageSize },
    { signal, timeoutMs: 6_000 },
  );
  return records;
}
