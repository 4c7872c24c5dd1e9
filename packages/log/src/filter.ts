import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";

/** A position in the order of a search: newest first, and by the order of storing among those of one instant. */
export interface SearchPosition {
  /** Unix time in milliseconds. */
  readonly occurredAtMs: number;
  /** A bigint as text. */
  readonly position: string;
}

/** Conditions in SQL, with their values: "$1" is the first of them. */
export interface Conditions {
  /** One or more, to be joined by AND. */
  readonly sql: readonly string[];
  readonly values: readonly unknown[];
}

const columns = `event || E'\\n' || message || E'\\n' || attributes`;

/**
 * A filter as conditions on `log_record`. The text depends on which conditions are set, so that each search is planned for the
 * index that serves it.
 *
 * @param more further conditions, each with the one value that its "?" stands for
 */
export function toConditions(
  filter: LogFilter | undefined,
  more: readonly (readonly [sql: string, value: unknown])[] = [],
): Conditions {
  const all: (readonly [string, unknown])[] = [...more];
  if (filter?.orderId) all.push(["order_id = ? AND order_id <> ''", filter.orderId]);
  if (filter?.traceId) all.push(["trace_id = ? AND trace_id <> ''", filter.traceId]);
  if (filter?.service) all.push(["service = ?", filter.service]);
  if (filter?.minSeverity) all.push(severityCondition(filter.minSeverity));
  if (filter?.since) all.push(["occurred_at >= ?", boundOf(filter.since)]);
  if (filter?.until) all.push(["occurred_at < ?", boundOf(filter.until)]);
  for (const word of wordsOf(filter?.text ?? "")) {
    all.push([`${columns} ILIKE ?`, `%${escapePattern(word)}%`]);
  }
  return {
    sql: ["TRUE", ...all.map(([sql], index) => sql.replace("?", () => `$${index + 1}`))],
    values: all.map(([, value]) => value),
  };
}

/** Records occurred from 1970 to 9999 (record.ts). */
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A bound of time. On the wire it may be any int64 of seconds; one beyond every record says the same as the nearest that can be asked for. */
function boundOf({ seconds, nanos }: Timestamp): Date {
  const ms = Number(seconds) * 1_000 + Math.ceil(nanos / 1e6);
  return new Date(Math.min(Math.max(ms, EARLIEST_MS), LATEST_MS));
}

/** The index of warnings and errors is used only where the statement itself says that it asks for nothing less. */
function severityCondition(minSeverity: number): readonly [string, unknown] {
  return [minSeverity >= 3 ? "severity >= ? AND severity >= 3" : "severity >= ?", minSeverity];
}

/** The words of a search: each of them must stand somewhere, in any order. */
export function wordsOf(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter((word) => word !== ""))];
}

function escapePattern(word: string): string {
  return word.replace(/[\\%_]/g, "\\$&");
}

/** An opaque token for a position. */
export function toPageToken({ occurredAtMs, position }: SearchPosition): string {
  return Buffer.from(`${occurredAtMs}.${position}`).toString("base64url");
}

/** Reads what `toPageToken` wrote; undefined for anything else. */
export function parsePageToken(token: string): SearchPosition | undefined {
  const match = /^(-?\d{1,15})\.(\d{1,18})$/.exec(Buffer.from(token, "base64url").toString());
  if (!match?.[1] || !match[2]) return undefined;
  const occurredAtMs = Number(match[1]);
  if (occurredAtMs < EARLIEST_MS || occurredAtMs > LATEST_MS) return undefined;
  return { occurredAtMs, position: match[2] };
}
