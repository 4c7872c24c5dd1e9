import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LogRecordSchema, Severity } from "@smartcart/gen/log/v1/log_pb";
import { toStored } from "./record.ts";

const arrival = { messageId: "m1", index: 0, now: new Date("2026-01-02T03:04:05.678Z") };
const store = (record: MessageInitShape<typeof LogRecordSchema>) =>
  toStored(create(LogRecordSchema, record), arrival);

test("a record is stored as it was written", () => {
  const record = {
    recordId: "7f8c",
    occurredAt: { seconds: 1_767_323_045n, nanos: 123_000_000 },
    severity: Severity.WARN,
    service: "order",
    event: "order.slow",
    message: "took its time",
    orderId: "ORD-1",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    attributes: { tookMs: 1200, nested: { list: [1, "two", null] } },
  };
  expect(store(record)).toEqual({
    ...record,
    occurredAt: new Date("2026-01-02T03:04:05.123Z"),
    attributes: '{"tookMs":1200,"nested":{"list":[1,"two",null]}}',
  });
});

test("what a foreign writer left out or got wrong is made good", () => {
  const stored = store({ severity: 9 as Severity, occurredAt: { seconds: 10n ** 12n } });
  expect(stored).toMatchObject({ severity: Severity.UNSPECIFIED, attributes: "{}" });
  expect(stored.occurredAt).toEqual(arrival.now);
  expect(store({}).occurredAt).toEqual(arrival.now);
});

test("a record without an id gets one that a copy of its message gets too, and no other record", () => {
  const record = create(LogRecordSchema, {});
  const id = (index: number, messageId = "m1") =>
    toStored(record, { ...arrival, index, messageId }).recordId;
  expect(id(0)).toBe(id(0));
  expect(new Set([id(0), id(1), id(0, "m2")]).size).toBe(3);
});

test("an id that no index can hold is replaced by its hash", () => {
  const long = "x".repeat(5000);
  expect(store({ recordId: long }).recordId).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(store({ recordId: long }).recordId).not.toBe(store({ recordId: `${long}y` }).recordId);
});

test("whatever is written, nothing is stored that PostgreSQL would refuse", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string().map((s) => s.repeat(2000)),
  );
  fc.assert(
    fc.property(text, text, (one, other) => {
      const { occurredAt, severity, ...texts } = store({
        recordId: one,
        service: other,
        event: one,
        message: other,
        orderId: one,
        traceId: other,
        attributes: { [one]: other },
      });
      for (const value of Object.values(texts)) {
        expect(value).not.toContain("\0");
        expect(value.isWellFormed()).toBe(one.isWellFormed() && other.isWellFormed());
      }
      expect(texts.orderId.length).toBeLessThanOrEqual(201);
      expect(texts.message.length).toBeLessThanOrEqual(16 * 1024 + 1);
      expect(JSON.parse(texts.attributes)).toBeTypeOf("object");
    }),
  );
});
