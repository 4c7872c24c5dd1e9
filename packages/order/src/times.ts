/**
 * Instants as both `google.protobuf.Timestamp` and PostgreSQL hold them: the years 1 to 9999. On the wire a Timestamp may say anything, and
 * one that is out of range can neither be shown as JSON nor, far enough out, be stored.
 */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";

const earliestMs = Date.parse("0001-01-01T00:00:00.000Z");
const latestMs = Date.parse("9999-12-31T23:59:59.999Z");

/** The instant, to the millisecond; undefined where it is out of range. */
export function readableDate({ seconds, nanos }: Timestamp): Date | undefined {
  if (nanos < 0 || nanos >= 1e9) return undefined;
  // Rounded down: `timestampDate` rounds up, out of the last second of the year 9999.
  const ms = Number(seconds) * 1_000 + Math.floor(nanos / 1e6);
  return ms >= earliestMs && ms <= latestMs ? new Date(ms) : undefined;
}

/**
 * The instant for an answer. What is stored may come from a version that did not look, or from a person: an order stays readable
 * all the same, with the nearest instant that can be shown.
 */
export function toTimestamp(date: Date): Timestamp {
  // Not `date.getTime()`: the driver reads PostgreSQL's infinity as a number.
  const ms = Number(date);
  return timestampFromDate(
    new Date(Number.isNaN(ms) ? latestMs : Math.min(Math.max(ms, earliestMs), latestMs)),
  );
}
