/** Lines that are protobuf by their bytes and nothing else: all are stored, their neighbours too, and every page can be read. */
import { randomUUID } from "node:crypto";
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LogsEmittedSchema } from "@smartcart/gen/events/v1/log_events_pb";
import { propertyOptions } from "@smartcart/testkit";
import { record, startTestLog } from "./support.ts";

const wildLines = 10_000;
const linesPerEvent = 50;

const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "\0", "\ud800", "__proto__", "x".repeat(20_000)) },
);
const number = fc.oneof(fc.double(), fc.integer());
const nested = fc.constantFrom(2, 10, 20, 28).map((depth) => {
  let value: JsonObject = {};
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
});
const attributes = fc.oneof(
  fc.dictionary(
    text,
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
  ) as fc.Arbitrary<JsonObject>,
  nested,
);
const line = fc.record(
  {
    recordId: text,
    occurredAt: fc.record({
      seconds: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      nanos: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    }),
    severity: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    service: text,
    event: text,
    message: text,
    orderId: text,
    traceId: text,
    attributes,
  },
  { requiredKeys: [] },
);

test("ten thousand wild lines", async () => {
  await using log = await startTestLog({ env: { LOG_MAX_LINES_PER_SECOND: "100000" } });
  const honest: string[] = [];
  const publish = async (lines: readonly object[]) => {
    const neighbour = record({ message: "honest" });
    honest.push(neighbour.recordId);
    const records = [...lines, neighbour] as MessageInitShape<typeof LogsEmittedSchema>["records"];
    const message = create(LogsEmittedSchema, { ...(records && { records }) });
    await log.bus.publish([
      {
        id: randomUUID(),
        type: LogsEmittedSchema.typeName,
        routingKey: "log.emitted",
        orderingKey: "",
        body: toBinary(LogsEmittedSchema, message),
        traceparent: "",
      },
    ]);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: linesPerEvent, maxLength: linesPerEvent }),
      publish,
    ),
    propertyOptions({ numRuns: wildLines / linesPerEvent, limitMs: 60_000 }),
  );
  const neighbours = async () =>
    (await log.client.searchLogs({ filter: { text: "honest" }, pageSize: 1000 })).records;
  await expect
    .poll(async () => (await neighbours()).length, { timeout: 20_000 })
    .toBe(honest.length);
  let pageToken = "";
  let read = 0;
  do {
    const page = await log.client.searchLogs({ pageSize: 500, pageToken });
    read += page.records.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  // The same id twice is the same line.
  expect(read).toBeGreaterThan(wildLines * 0.8);
}, 150_000);
