import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { create, fromBinary, getOption, hasOption, isMessage, toJson } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { TimestampSchema, timestampDate } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderStatusesChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { predefinedRules } from "../fields/string-rules.ts";
import { quickCheckOf } from "../validation/quick-check.ts";
import { eventTypes } from "./event-types.ts";
import { readEvent } from "./read-event.ts";

const types = [...eventTypes.values()].map(({ desc }) => desc);

/** A line that is too long or dated in the year 10000 is corrected by the log, `log/src/record.ts`, not rejected. */
const anythingGoes = new Set(["smartcart.log.v1.LogRecord"]);

describe("the rules of the contract", () => {
  it.each(types)("bound every field of $typeName", (desc) => {
    expect(fieldsWithoutRule(desc)).toEqual([]);
  });

  const time = (seconds: bigint, nanos = 0) => ({ seconds, nanos });
  it.each<[string, object, RegExp]>([
    ["the year 10000", { occurredAt: time(253_402_300_800n) }, /^occurredAt: /],
    [
      "the year 9999 and a fraction that rounds up",
      { occurredAt: time(253_402_300_799n, 1) },
      /^occurredAt: /,
    ],
    ["the year 1969", { occurredAt: time(-1n) }, /^occurredAt: /],
    ["the largest time of all", { occurredAt: time(2n ** 63n - 1n) }, /^occurredAt: /],
    [
      "nanos of a whole second",
      { occurredAt: time(1n, 1_000_000_000) },
      /^occurredAt: must be a time/,
    ],
    ["negative nanos", { occurredAt: time(1n, -1) }, /^occurredAt: must be a time/],
    ["no time", { occurredAt: undefined }, /^occurredAt: value is required/],
    ["sequence 0", { sequence: 0 }, /^sequence: /],
    ["a sequence that PostgreSQL's integer cannot hold", { sequence: 2 ** 31 }, /^sequence: /],
    ["an unknown milestone", { milestone: 99 }, /^milestone: /],
    ["no milestone", { milestone: 0 }, /^milestone: /],
    ["no order", { orderId: "" }, /^orderId: /],
    ["an order id with a NUL", { orderId: "ORD-\0" }, /^orderId: /],
    ["a huge string", { traceId: "a".repeat(1_000_000) }, /^traceId: /],
    ["a string that is no UTF-8", { orderId: Buffer.from([0xff, 0xfe]) }, /^body is no /],
  ])("reject %s", (_, change, reason) => {
    const desc = eventTypes.get("smartcart.events.v1.OrderStatusChanged")?.desc as DescMessage;
    const good = { orderId: "ORD-1", sequence: 1, milestone: 1, occurredAt: time(1n) };
    expect(readEvent(desc, encode(desc, good))).toHaveProperty("event");
    expect(readEvent(desc, encode(desc, { ...good, ...change }))).toEqual({
      invalidReason: expect.stringMatching(reason),
    });
  });
});

it("passes a log record with any time: the log mends it", () => {
  const desc = eventTypes.get("smartcart.events.v1.LogsEmitted")?.desc as DescMessage;
  const record = { occurredAt: { seconds: 2n ** 63n - 1n, nanos: -1 } };
  expect(readEvent(desc, encode(desc, { records: [record] }))).toHaveProperty("event");
});

describe("the quick check", () => {
  const checked = types.flatMap((desc) => {
    const quick = quickCheckOf(desc);
    return quick === undefined ? [] : [{ typeName: desc.typeName, desc, quick }];
  });

  it("is there for what every order sends", () => {
    expect(checked.map(({ typeName }) => typeName.split(".").at(-1)).sort()).toEqual(
      expect.arrayContaining([
        ...["LogsEmitted", "OrderPlaced"],
        ...["OrderShipped", "OrderShippingStarted", "OrderStatusesChanged"],
      ]),
    );
  });

  it.each(checked)("of $typeName accepts nothing that the contract rejects", ({ desc, quick }) => {
    const validator = createValidator({ registry: predefinedRules });
    fc.assert(
      fc.property(bodies(desc), (body) => {
        let event: Message;
        try {
          event = fromBinary(desc, body);
        } catch {
          return;
        }
        if (quick(event)) expect(validator.validate(desc, event).kind).toBe("valid");
      }),
      { numRuns: 1_500 },
    );
  });

  it("says yes to ordinary statuses", () => {
    const statuses = checked.find(({ typeName }) => typeName.endsWith(".OrderStatusesChanged"));
    const change = {
      orderId: "ORD-1",
      userId: "u1",
      sequence: 3,
      milestone: OrderMilestone.PAYMENT_CONFIRMED,
      service: "payment",
    };
    const event = create(OrderStatusesChangedSchema, {
      changes: [
        { ...change, traceId: "", occurredAt: { seconds: 1_767_225_600n, nanos: 5_000_000 } },
      ],
    });
    expect(statuses?.quick(event)).toBe(true);
  });
});

it.each(types)(
  "never throws on any bytes, and what passes can be said in JSON: $typeName",
  (desc) => {
    let passed = 0;
    fc.assert(
      fc.property(bodies(desc), (body) => {
        const result = readEvent(desc, body);
        if ("invalidReason" in result)
          return void expect(result.invalidReason.length).toBeLessThan(400);
        passed++;
        if (desc.name === "LogsEmitted") return;
        const text = JSON.stringify(toJson(desc, result.event));
        expect(text).not.toContain("\\u0000");
        for (const value of Object.values(result.event) as unknown[]) {
          if (!isMessage(value, TimestampSchema)) continue;
          expect(timestampDate(value).toISOString()).toMatch(/^(19[7-9]\d|[2-9]\d{3})-/);
        }
      }),
      { numRuns: 2_500 },
    );
    // Otherwise the test would show only that the rules reject.
    expect(passed).toBeGreaterThan(10);
  },
);

function fieldsWithoutRule(desc: DescMessage): string[] {
  return desc.fields.flatMap((field) => {
    if (hasOption(field, fieldRules) && hasBound(field)) return nested(field);
    const isMessage =
      field.fieldKind === "message" && field.message.file.proto.package !== "google.protobuf";
    return isMessage ? nested(field) : [`${desc.typeName}.${field.name}`];
  });
}

/** `required` alone bounds nothing. */
function hasBound(field: DescField): boolean {
  return getOption(field, fieldRules).type.case !== undefined;
}

function nested(field: DescField): string[] {
  const { message } = field;
  if (message === undefined || message.file.proto.package === "google.protobuf") return [];
  return anythingGoes.has(message.typeName) ? [] : fieldsWithoutRule(message);
}

/** Bytes that are an event, almost one, or none. */
function bodies(desc: DescMessage): fc.Arbitrary<Uint8Array> {
  const whole = messages(desc, 3).map((value) => encode(desc, value));
  return fc.oneof(
    { weight: 8, arbitrary: whole },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(whole, fc.nat(), fc.integer({ min: 0, max: 255 }))
        .map(([body, at, byte]) =>
          body.map((old, index) => (index === at % body.length ? byte : old)),
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(whole, fc.nat())
        .map(([body, at]) => body.subarray(0, at % (body.length + 1))),
    },
  );
}

function messages(desc: DescMessage, depth: number): fc.Arbitrary<object> {
  const entries = desc.fields.map((field) => [field.localName, values(field, depth)] as const);
  return fc.record(Object.fromEntries(entries), { requiredKeys: [] });
}

function values(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") {
    const inner = depth > 0 && field.message ? messages(field.message, depth - 1) : fc.constant({});
    return fc.array(inner, { maxLength: 4 });
  }
  if (field.fieldKind === "message")
    return depth > 0 ? messages(field.message, depth - 1) : fc.constant({});
  if (field.fieldKind === "enum")
    return fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -5, max: 200 }));
  if (field.name === "seconds")
    return fc.oneof(
      fc.bigInt(0n, 2n ** 32n),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.bigInt(253_402_300_790n, 253_402_300_810n),
    );
  if (field.name === "nanos")
    return fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 999_999_999 }) },
      fc.integer(),
    );
  if (field.name === "currency_code") return fc.oneof(fc.constant("USD"), fc.string());
  return fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 1_000 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("", "\0", "a".repeat(2_000), -1, 0, 2 ** 31, 2 ** 32 - 1),
    },
  );
}

/** Writes what no library would: any number in an enum, any bytes in a string. */
function encode(desc: DescMessage, value: object): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of desc.fields) {
    const own = (value as Record<string, unknown>)[field.localName];
    for (const one of Array.isArray(own) ? own : [own]) writeField(writer, field, one);
  }
  return writer.finish();
}

function writeField(writer: BinaryWriter, field: DescField, value: unknown): void {
  if (value === undefined) return;
  const bytes = bytesOf(field, value);
  if (bytes !== undefined)
    return void writer.tag(field.number, WireType.LengthDelimited).bytes(bytes);
  const number = typeof value === "bigint" ? value : Math.trunc(Number(value)) || 0;
  writer.tag(field.number, WireType.Varint).int64(BigInt(number));
}

function bytesOf(field: DescField, value: unknown): Uint8Array | undefined {
  const isText = field.fieldKind === "scalar" && field.scalar === 9;
  if (field.message !== undefined) return encode(field.message, value as object);
  if (!isText) return undefined;
  return value instanceof Uint8Array ? value : Buffer.from(String(value));
}
