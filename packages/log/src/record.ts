import { createHash } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { LogRecord } from "@smartcart/gen/log/v1/log_pb";
import { Severity } from "@smartcart/gen/log/v1/log_pb";

/** A record as the table takes it. */
export interface StoredRecord {
  readonly recordId: string;
  readonly occurredAt: Date;
  readonly severity: Severity;
  readonly service: string;
  readonly event: string;
  readonly message: string;
  readonly orderId: string;
  readonly traceId: string;
  /** A JSON object as text. */
  readonly attributes: string;
}

/** Where a record came from and when it arrived, for what it does not say itself. */
export interface Arrival {
  /** Id of the message that brought it. */
  readonly messageId: string;
  /** Its place among the message's records, from 0. */
  readonly index: number;
  readonly now: Date;
}

const severities: ReadonlySet<Severity> = new Set(Object.values(Severity));

const longestKey = 200;
const longestMessage = 16 * 1024;
const longestAttributes = 64 * 1024;
// What both PostgreSQL and `google.protobuf.Timestamp` can hold.
const earliestMs = Date.UTC(1970, 0, 1);
const latestMs = Date.UTC(9999, 11, 31);

/** Whether a line may have this time, in Unix milliseconds. */
export function isStorableTime(atMs: number): boolean {
  return atMs >= earliestMs && atMs <= latestMs;
}

/**
 * Makes a record storable whatever its writer put in: PostgreSQL's text takes no NUL, its indexes no long keys, and one record
 * that the table refuses would take the whole batch with it. A log keeps a shortened line rather than none.
 */
export function toStored(record: LogRecord, arrival: Arrival): StoredRecord {
  return {
    recordId: recordIdOf(record, arrival),
    occurredAt: occurredAtOf(record, arrival.now),
    severity: severities.has(record.severity) ? record.severity : Severity.UNSPECIFIED,
    service: clean(record.service, longestKey),
    event: clean(record.event, longestKey),
    message: clean(record.message, longestMessage),
    orderId: clean(record.orderId, longestKey),
    traceId: clean(record.traceId, longestKey),
    attributes: attributesOf(record),
  };
}

/** The id a writer gave; one derived from the message where it gave none that can be kept, so that a copy has the same. */
function recordIdOf({ recordId }: LogRecord, { messageId, index }: Arrival): string {
  if (recordId !== "" && recordId.length <= longestKey && !recordId.includes("\0")) return recordId;
  const origin = recordId === "" ? `${messageId}#${index}` : recordId;
  return `sha256:${createHash("sha256").update(origin).digest("hex")}`;
}

function occurredAtOf({ occurredAt }: LogRecord, now: Date): Date {
  if (occurredAt === undefined) return now;
  const date = timestampDate(occurredAt);
  return isStorableTime(date.getTime()) ? date : now;
}

function attributesOf({ attributes }: LogRecord): string {
  if (attributes === undefined) return "{}";
  const text = JSON.stringify(attributes);
  if (text.length <= longestAttributes) return text;
  return JSON.stringify({ truncated: clean(text, longestAttributes) });
}

function clean(text: string, longest: number): string {
  const shown = text.replaceAll("\0", "\u{fffd}");
  if (shown.length <= longest) return shown;
  // Not through the middle of a character of two units.
  return `${shown.slice(0, longest).replace(/[\ud800-\udbff]$/, "")}…`;
}
