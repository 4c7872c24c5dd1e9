import { create, toJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertyOptions } from "@smartcart/testkit";
import { readableDate, toTimestamp } from "./times.ts";

const anyTimestamp = fc
  .record({
    seconds: fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: -62_135_596_802n, max: -62_135_596_798n }),
      fc.bigInt({ min: 253_402_300_797n, max: 253_402_300_801n }),
      fc.bigInt({ min: 0n, max: 4_000_000_000n }),
    ),
    nanos: fc.oneof(
      fc.integer(),
      fc.integer({ min: 0, max: 999_999_999 }),
      fc.constantFrom(-1, 0, 1e9),
    ),
  })
  .map((timestamp) => create(TimestampSchema, timestamp));

const options = propertyOptions({ numRuns: 10_000 });

describe("a time on the wire", () => {
  it("is read only where it can be shown again", () => {
    fc.assert(
      fc.property(anyTimestamp, (timestamp) => {
        let json: string | undefined;
        try {
          json = toJson(TimestampSchema, timestamp);
        } catch {
          json = undefined;
        }
        const date = readableDate(timestamp);
        expect(date?.toISOString()).toBe(json && new Date(json).toISOString());
      }),
      options,
    );
  });
});

describe("a stored time", () => {
  it("can always be shown", () => {
    const anyDate = fc.oneof(
      fc.date({ noInvalidDate: false }),
      fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(anyDate, (date) => {
        expect(toJson(TimestampSchema, toTimestamp(date as Date))).toMatch(/^\d{4}-/);
      }),
      options,
    );
  });

  it("is the same where it is in range", () => {
    const now = new Date("2026-01-02T03:04:05.678Z");
    expect(readableDate(toTimestamp(now))).toEqual(now);
  });
});
