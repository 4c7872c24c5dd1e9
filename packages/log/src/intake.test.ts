import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { LogRecordSchema, Severity } from "@smartcart/gen/log/v1/log_pb";
import { silentLogger } from "@smartcart/runtime";
import { createIntake } from "./intake.ts";
import { toStored } from "./record.ts";

function lines(count: number, severity: Severity) {
  const arrival = { messageId: "m", index: 0, now: new Date() };
  return Array.from({ length: count }, () =>
    toStored(create(LogRecordSchema, { severity }), arrival),
  );
}

test("ten seconds' worth is stored at once, then so many a second; warnings have a share of their own", () => {
  let nowMs = 0;
  let dropped = 0;
  const told: object[] = [];
  const intake = createIntake({
    perSecond: 100,
    log: { ...silentLogger, warn: (_, fields) => void told.push(fields ?? {}) },
    onDropped: (count) => (dropped += count),
    nowMs: () => nowMs,
  });
  expect(intake(lines(1500, Severity.INFO))).toHaveLength(1000);
  expect(intake(lines(10, Severity.DEBUG))).toHaveLength(0);
  // A flood of the one kind does not hide the other.
  expect(intake(lines(1500, Severity.ERROR))).toHaveLength(1000);
  nowMs = 1000;
  expect(intake(lines(500, Severity.INFO))).toHaveLength(100);
  expect(dropped).toBe(500 + 10 + 500 + 400);
  // One line in ten seconds says how many.
  expect(told).toMatchObject([{ records: 500 }]);
  nowMs = 20_000;
  expect(intake(lines(1001, Severity.INFO))).toHaveLength(1000);
  expect(told.at(-1)).toMatchObject({ records: 911 });
});
