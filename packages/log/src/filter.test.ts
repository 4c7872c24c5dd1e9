import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import { LogFilterSchema } from "@smartcart/gen/log/v1/log_service_pb";
import { parsePageToken, toConditions, toPageToken, wordsOf } from "./filter.ts";

const conditions = (filter: MessageInitShape<typeof LogFilterSchema>) =>
  toConditions(create(LogFilterSchema, filter));

test("no condition finds everything", () => {
  expect(toConditions(undefined)).toEqual({ sql: ["TRUE"], values: [] });
  expect(conditions({})).toEqual({ sql: ["TRUE"], values: [] });
});

test("conditions are numbered in the order of their values", () => {
  const found = conditions({ orderId: "ORD-1", service: "order", minSeverity: Severity.WARN });
  expect(found.sql).toEqual([
    "TRUE",
    "order_id = $1 AND order_id <> ''",
    "service = $2",
    "severity >= $3 AND severity >= 3",
  ]);
  expect(found.values).toEqual(["ORD-1", "order", Severity.WARN]);
});

test("each word must stand somewhere, and none is a pattern", () => {
  expect(wordsOf("  Paid\tpaid  ORD-1 ORD-1 ")).toEqual(["Paid", "paid", "ORD-1"]);
  expect(conditions({ text: "100% a_b \\" }).values).toEqual(["%100\\%%", "%a\\_b%", "%\\\\%"]);
});

test("a token leads back to its position, and nothing else is one", () => {
  fc.assert(
    fc.property(fc.nat(4_000_000_000_000), fc.bigInt(0n, 10n ** 17n), (occurredAtMs, position) => {
      const place = { occurredAtMs, position: position.toString() };
      expect(parsePageToken(toPageToken(place))).toEqual(place);
    }),
  );
  for (const token of ["x", "AAAA", Buffer.from("1.2.3").toString("base64url"), "🧪"]) {
    expect(parsePageToken(token)).toBeUndefined();
  }
});
