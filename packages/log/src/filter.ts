import { timestampDate, timestampMs } from "@bufbuild/protobuf/wkt";
import type { LogFilter } from "@smartcart/gen/log/v1/log_service_pb";
import type { StoredRecord } from "./record.ts";
import { isStorableTime } from "./record.ts";

/** A line with what its words are looked for in. */
export interface SearchableRecord extends StoredRecord {
  readonly searchText: string;
}

/** A position in the order of a search: newest first, and by the order of storing among those of one instant. */
export interface SearchPosition {
  /** Unix time in milliseconds. */
  readonly occurredAtMs: number;
  /** A bigint as text. */
  readonly position: string;
}

/** A condition in SQL, with the values that its "?" stand for. */
export type Condition = readonly [sql: string, ...values: readonly unknown[]];

const columns = `event || E'\\n' || message || E'\\n' || attributes`;

/** Conditions as an expression, with its parameters. */
export function toSql(conditions: readonly Condition[]): { sql: string; values: unknown[] } {
  let parameters = 0;
  const numbered = conditions.map(([sql]) =>
    sql.replaceAll("?", () => {
      parameters += 1;
      return `$${parameters}`;
    }),
  );
  return {
    sql: ["TRUE", ...numbered].join(" AND "),
    values: conditions.flatMap(([, ...values]) => values),
  };
}

/**
 * Which batches may hold what a filter asks for, as conditions on `log_batch`. The text depends on which conditions are set, so
 * that each search is planned for the index that serves it.
 *
 * @returns `indexed`: conditions that the index of orders and traces serves
 */
export function batchConditions(filter: LogFilter | undefined): {
  readonly indexed: readonly Condition[];
  readonly others: readonly Condition[];
} {
  const ids = [filter?.orderId, filter?.traceId].filter((id) => id !== undefined && id !== "");
  const others: Condition[] = [];
  if (filter?.service) others.push(["writers @> array[?::text]", filter.service]);
  if (filter?.minSeverity) others.push(severityCondition(filter.minSeverity));
  if (filter?.since)
    others.push(["second > ?::timestamptz - interval '1 second'", timestampDate(filter.since)]);
  if (filter?.until) others.push(["second < ?", timestampDate(filter.until)]);
  return { indexed: ids.map((id) => [`keys && ${keysOfAllDays}`, id] as const), others };
}

const keysOfAllDays = `array(select log_key(?, day) from generate_series(
  (select stored_on from log_batch order by batch limit 1),
  (select stored_on from log_batch order by batch desc limit 1)) as day)`;

/** The index of warnings and errors is used only where the statement itself says that it asks for nothing less. */
function severityCondition(minSeverity: number): Condition {
  const condition = "highest_severity >= ?";
  return [minSeverity >= 3 ? `${condition} AND highest_severity >= 3` : condition, minSeverity];
}

/** A filter as conditions on `log_record`. */
export function lineConditions(filter: LogFilter | undefined): readonly Condition[] {
  const all: Condition[] = [];
  if (filter?.orderId) all.push(["order_id = ?", filter.orderId]);
  if (filter?.traceId) all.push(["trace_id = ?", filter.traceId]);
  if (filter?.service) all.push(["service = ?", filter.service]);
  if (filter?.minSeverity) all.push(["severity >= ?", filter.minSeverity]);
  if (filter?.since) all.push(["occurred_at >= ?", timestampDate(filter.since)]);
  if (filter?.until) all.push(["occurred_at < ?", timestampDate(filter.until)]);
  for (const word of wordsOf(filter?.text ?? "")) {
    all.push([`${columns} ILIKE ?`, `%${escapePattern(word)}%`]);
  }
  return all;
}

/** The words of a search: each of them must stand somewhere, in any order. */
export function wordsOf(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter((word) => word !== ""))];
}

function escapePattern(word: string): string {
  return word.replace(/[\\%_]/g, "\\$&");
}

/** The same filter for lines that are in memory. Words are compared as PostgreSQL does, but for a few letters outside of ASCII. */
export function createMatcher(filter: LogFilter | undefined): (line: SearchableRecord) => boolean {
  const { orderId, traceId, service, minSeverity = 0 } = filter ?? {};
  const since = filter?.since ? timestampMs(filter.since) : Number.NEGATIVE_INFINITY;
  const until = filter?.until ? timestampMs(filter.until) : Number.POSITIVE_INFINITY;
  const words = wordsOf(filter?.text ?? "").map((word) => word.toLowerCase());
  return (line) => {
    const atMs = line.occurredAt.getTime();
    return (
      (!orderId || line.orderId === orderId) &&
      (!traceId || line.traceId === traceId) &&
      (!service || line.service === service) &&
      line.severity >= minSeverity &&
      atMs >= since &&
      atMs < until &&
      words.every((word) => line.searchText.includes(word))
    );
  };
}

/** What words are looked for in, in lower case; the same as `columns`. */
export function searchTextOf({ event, message, attributes }: StoredRecord): string {
  return `${event}\n${message}\n${attributes}`.toLowerCase();
}

/** An opaque token for a position. */
export function toPageToken({ occurredAtMs, position }: SearchPosition): string {
  return Buffer.from(`${occurredAtMs}.${position}`).toString("base64url");
}

/** Reads what `toPageToken` wrote; undefined for anything else. */
export function parsePageToken(token: string): SearchPosition | undefined {
  const match = /^(\d{1,15})\.(\d{1,18})$/.exec(Buffer.from(token, "base64url").toString());
  if (!match?.[1] || !match[2] || !isStorableTime(Number(match[1]))) return undefined;
  return { occurredAtMs: Number(match[1]), position: match[2] };
}
