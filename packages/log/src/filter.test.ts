import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Severity } from "@smartcart/gen/log/v1/log_pb";
import { LogFilterSchema } from "@smartcart/gen/log/v1/log_service_pb";
import {
  batchConditions,
  lineConditions,
  parsePageToken,
  toPageToken,
  toSql,
  wordsOf,
} from "./filter.ts";

const filterOf = (filter: MessageInitShape<typeof LogFilterSchema>) =>
  create(LogFilterSchema, filter);

test("no condition finds everything", () => {
  for (const filter of [undefined, filterOf({})]) {
    expect(toSql(lineConditions(filter))).toEqual({ sql: "TRUE", values: [] });
    expect(batchConditions(filter)).toEqual({ indexed: [], others: [] });
  }
});

test("parameters are numbered in the order of their values", () => {
  const filter = filterOf({ orderId: "ORD-1", service: "order", minSeverity: Severity.WARN });
  expect(toSql(lineConditions(filter))).toEqual({
    sql: "TRUE AND order_id = $1 AND service = $2 AND severity >= $3",
    values: ["ORD-1", "order", Severity.WARN],
  });
  expect(toSql([["(a, b) < (?, ?)", 1, 2], ...batchConditions(filter).others])).toEqual({
    sql: "TRUE AND (a, b) < ($1, $2) AND writers @> array[$3::text] AND highest_severity >= $4 AND highest_severity >= 3",
    values: [1, 2, "order", Severity.WARN],
  });
});

test("each word must stand somewhere, and none is a pattern", () => {
  expect(wordsOf("  Paid\tpaid  ORD-1 ORD-1 ")).toEqual(["Paid", "paid", "ORD-1"]);
  const { values } = toSql(lineConditions(filterOf({ text: "100% a_b \\" })));
  expect(values).toEqual(["%100\\%%", "%a\\_b%", "%\\\\%"]);
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
