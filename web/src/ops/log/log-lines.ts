import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";

/** The lines that the console shows, and those that wait while the log is paused. */
export interface LogLines {
  /** Newest first, at most `maxLines`. */
  readonly shown: readonly LogRecord[];
  /** Lines that arrived while the log was paused; newest first, at most `maxLines`. */
  readonly waiting: readonly LogRecord[];
  /** Number of lines that arrived while the log was paused, including those that were discarded. */
  readonly waitingCount: number;
}

/** Enough to scroll through, few enough to be drawn at once. */
export const maxLines = 200;

/** Lines that were looked up on purpose. */
const maxOlder = 1_000;

export const noLines: LogLines = { shown: [], waiting: [], waitingCount: 0 };

/** Takes lines in, oldest first as a stream brings them. Lines that are there already are dropped. */
export function addLines(lines: LogLines, incoming: readonly LogRecord[], held: boolean): LogLines {
  const known = new Set([...lines.waiting, ...lines.shown].map(({ recordId }) => recordId));
  const fresh = incoming.filter(({ recordId }) => !known.has(recordId)).slice(-maxLines);
  if (fresh.length === 0) return lines;
  const newestFirst = fresh.toReversed();
  if (!held) return { ...lines, shown: [...newestFirst, ...lines.shown].slice(0, maxLines) };
  return {
    ...lines,
    waiting: [...newestFirst, ...lines.waiting].slice(0, maxLines),
    waitingCount: lines.waitingCount + fresh.length,
  };
}

/** Shows what waited. */
export function release({ shown, waiting }: LogLines): LogLines {
  return { ...noLines, shown: [...waiting, ...shown].slice(0, maxLines) };
}

/** Puts older lines, newest first, behind those that are shown. */
export function addOlder(lines: LogLines, older: readonly LogRecord[]): LogLines {
  const known = new Set(lines.shown.map(({ recordId }) => recordId));
  const fresh = older.filter(({ recordId }) => !known.has(recordId));
  return { ...lines, shown: [...lines.shown, ...fresh].slice(0, maxOlder) };
}
