/**
 * Header tables of AMQP 0-9-1 as bytes. Headers of foreign messages are forwarded byte for byte: decoded to JavaScript values and
 * encoded again, a time would become a number, a byte array a table, and a large number a different one.
 */
import type { JsonValue } from "@bufbuild/protobuf";

/** One header: its name, and its type octet and value as they are on the wire. */
export interface Header {
  readonly name: string;
  /** The whole entry: name, type, value. */
  readonly bytes: Buffer;
  /** Where in `bytes` the type octet stands. */
  readonly valueAt: number;
}

/** A value nested deeper is shown as "…"; a frame has room for 26,000 levels. */
const deepestShown = 32;

/** The entries of a table's payload, up to the first of an unknown type, whose length is unknown too. */
export function readTable(table: Buffer): Header[] {
  const headers: Header[] = [];
  let at = 0;
  while (at < table.length) {
    const nameLength = table[at] ?? 0;
    const valueAt = 1 + nameLength;
    const size = sizeOfValue(table, at + valueAt);
    if (size === undefined) break;
    const bytes = table.subarray(at, at + valueAt + size);
    headers.push({ name: bytes.toString("utf8", 1, valueAt), bytes, valueAt });
    at += bytes.length;
  }
  return headers;
}

/** A header with a text, as a long string. */
export function textHeader(name: string, text: string): Header {
  return header(name, "S", lengthPrefixed(Buffer.from(text)));
}

/** A header with a whole number of 32 bits. */
export function intHeader(name: string, value: number): Header {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return header(name, "I", bytes);
}

/** A header that holds other headers. */
export function tableHeader(name: string, entries: readonly Header[]): Header {
  return header(name, "F", lengthPrefixed(Buffer.concat(entries.map(({ bytes }) => bytes))));
}

/** The same value under another name. */
export function renamed({ bytes, valueAt }: Header, name: string): Header {
  const key = Buffer.from(name);
  const entry = Buffer.concat([Buffer.from([key.length]), key, bytes.subarray(valueAt)]);
  return { name, bytes: entry, valueAt: 1 + key.length };
}

/** The entries of a header that holds headers; undefined where it holds something else. */
export function entriesOf({ bytes, valueAt }: Header): Header[] | undefined {
  return bytes[valueAt] === code("F") ? readTable(bytes.subarray(valueAt + 5)) : undefined;
}

/** The entries of the first table in a header that holds an array of them. */
export function firstEntriesOf({ bytes, valueAt }: Header): Header[] | undefined {
  const isTables = bytes[valueAt] === code("A") && bytes[valueAt + 5] === code("F");
  if (!isTables) return undefined;
  const from = valueAt + 10;
  return readTable(bytes.subarray(from, from + bytes.readUInt32BE(valueAt + 6)));
}

/** The time in a header, in seconds; undefined where it is none. */
export function secondsOf({ bytes, valueAt }: Header): bigint | undefined {
  return bytes[valueAt] === code("T") ? bytes.readBigUInt64BE(valueAt + 1) : undefined;
}

/** The text of a header; undefined where it is none. */
export function textOf({ bytes, valueAt }: Header): string | undefined {
  return bytes[valueAt] === code("S") ? bytes.toString("utf8", valueAt + 5) : undefined;
}

/**
 * Any value in a readable form: bytes as `base64:…`, a time as ISO 8601, a number that JSON would round as
 * text.
 */
export function shownValue({ bytes, valueAt }: Header): JsonValue {
  return readValue(bytes, valueAt, 0);
}

function header(name: string, type: string, value: Buffer): Header {
  const key = Buffer.from(name);
  const bytes = Buffer.concat([Buffer.from([key.length]), key, Buffer.from(type), value]);
  return { name, bytes, valueAt: 1 + key.length };
}

function lengthPrefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** Types of numbers by their letter: how many bytes one takes, and how it is read. */
const numberTypes: Readonly<
  Record<string, { size: number; read: (bytes: Buffer, at: number) => number | bigint }>
> = {
  b: { size: 1, read: (bytes, at) => bytes.readInt8(at) },
  B: { size: 1, read: (bytes, at) => bytes.readUInt8(at) },
  s: { size: 2, read: (bytes, at) => bytes.readInt16BE(at) },
  u: { size: 2, read: (bytes, at) => bytes.readUInt16BE(at) },
  I: { size: 4, read: (bytes, at) => bytes.readInt32BE(at) },
  i: { size: 4, read: (bytes, at) => bytes.readUInt32BE(at) },
  l: { size: 8, read: (bytes, at) => bytes.readBigInt64BE(at) },
  L: { size: 8, read: (bytes, at) => bytes.readBigInt64BE(at) },
  f: { size: 4, read: (bytes, at) => bytes.readFloatBE(at) },
  d: { size: 8, read: (bytes, at) => bytes.readDoubleBE(at) },
};
/** Bytes of the other types without a length: nothing, boolean, decimal, time. */
const otherSizes: Readonly<Record<string, number>> = { V: 0, t: 1, D: 5, T: 8 };
/** Text, bytes, array, table: four bytes of length come first. */
const lengthTypes = "SxAF";

/** Type octet and value together; undefined where the type is unknown or the value is cut off. */
function sizeOfValue(table: Buffer, at: number): number | undefined {
  const type = String.fromCharCode(table[at] ?? 0);
  const hasLength = lengthTypes.includes(type) && at + 5 <= table.length;
  const size = hasLength
    ? 4 + table.readUInt32BE(at + 1)
    : (otherSizes[type] ?? numberTypes[type]?.size);
  return size === undefined || at + 1 + size > table.length ? undefined : 1 + size;
}

function readValue(bytes: Buffer, at: number, depth: number): JsonValue {
  if (depth > deepestShown) return "…";
  const from = at + 1;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case "V":
      return null;
    case "t":
      return bytes[from] !== 0;
    case "S":
      return bytes.toString("utf8", from + 4);
    case "x":
      return `base64:${bytes.toString("base64", from + 4)}`;
    case "T":
      return timeText(bytes.readBigUInt64BE(from));
    case "D":
      return `${bytes.readInt32BE(from + 1)}e-${bytes.readUInt8(from)}`;
    case "A":
      return readArray(bytes.subarray(from + 4), depth + 1);
    case "F":
      return shownTable(readTable(bytes.subarray(from + 4)), depth + 1);
    default:
      return numberOf(bytes, at);
  }
}

function numberOf(bytes: Buffer, at: number): JsonValue {
  const type = numberTypes[String.fromCharCode(bytes[at] ?? 0)];
  const value = type?.read(bytes, at + 1) ?? Number.NaN;
  const number = Number(value);
  if (typeof value === "bigint" && !Number.isSafeInteger(number)) return String(value);
  return Number.isFinite(number) ? number : String(number);
}

function readArray(items: Buffer, depth: number): JsonValue[] {
  const values: JsonValue[] = [];
  for (let at = 0; at < items.length; ) {
    const size = sizeOfValue(items, at);
    if (size === undefined) break;
    values.push(readValue(items.subarray(at, at + size), 0, depth));
    at += size;
  }
  return values;
}

/** Headers in a readable form, by name. Of two with one name the last is shown. */
export function shownTable(headers: readonly Header[], depth = 0): { [name: string]: JsonValue } {
  return Object.fromEntries(
    headers.map(({ name, bytes, valueAt }) => [name, readValue(bytes, valueAt, depth)]),
  );
}

/** A time of AMQP is in whole seconds. */
function timeText(seconds: bigint): string {
  const date = dateOfSeconds(seconds);
  return date === undefined ? `${seconds} s` : date.toISOString();
}

/** Undefined for a time outside of the years 1970 to 9999. */
export function dateOfSeconds(seconds: bigint): Date | undefined {
  return seconds > 253_402_300_799n ? undefined : new Date(Number(seconds) * 1_000);
}
