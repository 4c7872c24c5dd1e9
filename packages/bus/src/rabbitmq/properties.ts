/** The content header of a message (AMQP 0-9-1, 4.2.6.1): its properties and headers, as bytes. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { Header } from "./amqp-table.ts";
import { dateOfSeconds, readTable } from "./amqp-table.ts";

/** The properties in the order of their flags, which is also that of their values. */
const names = [
  ...(["contentType", "contentEncoding", "headers", "deliveryMode", "priority"] as const),
  ...(["correlationId", "replyTo", "expiration", "messageId", "timestamp"] as const),
  ...(["type", "userId", "appId", "clusterId"] as const),
];

/** A property other than the headers. */
export type PropertyName = Exclude<(typeof names)[number], "headers">;

/** The properties and headers of a message. */
export interface Properties {
  /** Each property that is set, as it is on the wire. */
  readonly fields: ReadonlyMap<PropertyName, Buffer>;
  readonly headers: readonly Header[];
}

/** Class, weight and size of the body stand before the flags. */
const flagsAt = 12;

/** Reads the payload of a header frame. */
export function readProperties(payload: Buffer): Properties {
  const fields = new Map<PropertyName, Buffer>();
  let headers: readonly Header[] = [];
  const flags = payload.readUInt16BE(flagsAt);
  let at = flagsAt + 2;
  for (const [index, name] of names.entries()) {
    if ((flags & (0x8000 >> index)) === 0) continue;
    const size = sizeOf(name, payload, at);
    if (name === "headers") headers = readTable(payload.subarray(at + 4, at + size));
    else fields.set(name, payload.subarray(at, at + size));
    at += size;
  }
  return { fields, headers };
}

/** Flags and values, the second half of a header frame's payload. */
export function writeProperties({ fields, headers }: Properties): Buffer {
  const parts: Buffer[] = [Buffer.alloc(2)];
  let flags = 0;
  for (const [index, name] of names.entries()) {
    const value = name === "headers" ? undefined : fields.get(name);
    if (name === "headers" && headers.length > 0) {
      const table = headers.map(({ bytes }) => bytes);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(table.reduce((sum, { length: one }) => sum + one, 0));
      parts.push(length, ...table);
      flags |= 0x8000 >> index;
    } else if (value !== undefined) {
      parts.push(value);
      flags |= 0x8000 >> index;
    }
  }
  parts[0]?.writeUInt16BE(flags);
  return Buffer.concat(parts);
}

/** A text of at most 255 bytes, with its length; what is longer is cut. */
export function shortString(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** The text of a property; "" where it is not set. */
export function propertyText({ fields }: Properties, name: PropertyName): string {
  const value = fields.get(name);
  return value === undefined ? "" : value.toString("utf8", 1);
}

/** The properties in a readable form. */
export function shownProperties({ fields }: Properties): Record<string, JsonValue> {
  return Object.fromEntries([...fields].map(([name, value]) => [name, shown(name, value)]));
}

function shown(name: PropertyName, value: Buffer): JsonValue {
  if (name === "deliveryMode" || name === "priority") return value[0] ?? 0;
  if (name !== "timestamp") return value.toString("utf8", 1);
  const seconds = value.readBigUInt64BE();
  return dateOfSeconds(seconds)?.toISOString() ?? `${seconds} s`;
}

function sizeOf(name: (typeof names)[number], payload: Buffer, at: number): number {
  if (name === "headers") return 4 + payload.readUInt32BE(at);
  if (name === "deliveryMode" || name === "priority") return 1;
  return name === "timestamp" ? 8 : 1 + payload.readUInt8(at);
}
