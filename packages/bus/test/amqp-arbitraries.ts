import fc from "fast-check";
import type { Header } from "../src/rabbitmq/amqp-table.ts";
import { readTable } from "../src/rabbitmq/amqp-table.ts";
import type { Properties, PropertyName } from "../src/rabbitmq/properties.ts";
import { readProperties, writeProperties } from "../src/rabbitmq/properties.ts";
import type { ReceivedMessage } from "../src/rabbitmq/raw-connection.ts";

const oddNames = [
  ...["x-attempt", "x-reason", "x-failed-at", "x-death", "x-first-death-reason", "traceparent"],
  ...["__proto__", "constructor", "toString", "", "CC", "x-cut", "property:expiration"],
];
const oddTexts = [
  "yesterday",
  "2026-01-01T00:00:00Z",
  "+099999-01-01T00:00:00Z",
  "",
  "\0",
  "1e999",
  "x".repeat(5_000),
];

/** Headers as foreign clients set them: any type that RabbitMQ takes, nested, and with the names that are ours. */
const headerTables: fc.Arbitrary<Header[]> = fc
  .uniqueArray(
    fc.tuple(fc.oneof(fc.constantFrom(...oddNames), fc.string({ maxLength: 40 })), values(3)),
    {
      maxLength: 8,
      selector: ([name]) => name,
    },
  )
  .map((entries) => readTable(Buffer.concat(entries.map(([name, value]) => entry(name, value)))));

const shortTexts = fc.oneof(fc.string({ maxLength: 60 }), fc.constantFrom("\0", "é".repeat(100)));

/** Properties that a broker accepts from any client. */
export const propertySets: fc.Arbitrary<Properties> = fc
  .record(
    {
      contentType: fc
        .oneof(
          fc.constantFrom("text/plain", "application/json", "application/protobuf"),
          shortTexts,
        )
        .map(short),
      contentEncoding: shortTexts.map(short),
      deliveryMode: fc.constantFrom(1, 2).map((mode) => Buffer.from([mode])),
      priority: fc.integer({ min: 0, max: 255 }).map((priority) => Buffer.from([priority])),
      correlationId: shortTexts.map(short),
      replyTo: shortTexts.map(short),
      expiration: fc.integer({ min: 3_600_000, max: 4_000_000 }).map((ms) => short(`${ms}`)),
      messageId: shortTexts.map(short),
      timestamp: fc.bigInt(0n, 2n ** 63n - 1n).map(uint64),
      type: shortTexts.map(short),
      appId: shortTexts.map(short),
      clusterId: shortTexts.map(short),
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    headerTables.map((headers) => {
      const set = Object.entries(fields).filter(([, value]) => value !== undefined);
      return { fields: new Map(set as [PropertyName, Buffer][]), headers };
    }),
  );

/** A message as it comes in with these properties. */
export function received(
  properties: Properties,
  body = Buffer.from([0xff, 0xfe]),
): ReceivedMessage {
  const read = readProperties(Buffer.concat([Buffer.alloc(12), writeProperties(properties)]));
  return { deliveryTag: 1, exchange: "", routingKey: "orders", properties: read, body };
}

/** The entry of a table. */
export function entry(name: string, value: Buffer): Buffer {
  return Buffer.concat([short(name), value]);
}

/** A value with its type octet. */
export function typed(type: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type), ...parts]);
}

/** Bytes after their length. */
export function long(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function short(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function values(depth: number): fc.Arbitrary<Buffer> {
  const raw = (size: number) =>
    fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));
  const scalars = fc.oneof(
    fc
      .oneof(fc.string(), fc.constantFrom(...oddTexts))
      .map((text) => typed("S", long(Buffer.from(text)))),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => typed("x", long(bytes))),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => typed("S", long(bytes))),
    fc.boolean().map((value) => typed("t", Buffer.from([value ? 1 : 0]))),
    fc.constantFrom("b", "B").chain((type) => raw(1).map((bytes) => typed(type, bytes))),
    fc.constantFrom("s", "u").chain((type) => raw(2).map((bytes) => typed(type, bytes))),
    fc.constantFrom("I", "i").chain((type) => raw(4).map((bytes) => typed(type, bytes))),
    fc.constantFrom("l", "d").chain((type) => raw(8).map((bytes) => typed(type, bytes))),
    fc.bigInt(0n, 2n ** 63n - 1n).map((seconds) => typed("T", uint64(seconds))),
    raw(4).map((bytes) => typed("f", bytes)),
    raw(5).map((bytes) => typed("D", bytes)),
    fc.constant(typed("V")),
  );
  if (depth === 0) return scalars;
  const inner = values(depth - 1);
  return fc.oneof(
    { weight: 6, arbitrary: scalars },
    {
      weight: 1,
      arbitrary: fc
        .array(inner, { maxLength: 3 })
        .map((items) => typed("A", long(Buffer.concat(items)))),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(fc.string({ maxLength: 10 }), inner), { maxLength: 3 })
        .map((entries) =>
          typed("F", long(Buffer.concat(entries.map(([name, value]) => entry(name, value))))),
        ),
    },
  );
}
