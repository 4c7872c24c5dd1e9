import { describe, expect, it, test } from "vitest";
import { styleProblems } from "./house-style.ts";

describe("SQL keywords", () => {
  it("are in lower case", () => {
    const source = ["const text = `", "  select 1", "  FROM shipment", "`;"].join("\n");
    expect(styleProblems(source)).toEqual([
      { line: 3, problem: "write the SQL keyword FROM in lower case" },
    ]);
  });

  it.each([
    ["a string literal", "`select 'FROM' where status = 'NOT SHIPPED'`"],
    ["a quoted name", '`select "ORDER BY" from parcel`'],
    ["a comment", "`select 1 -- NOT NULL by its type\n`"],
    ["text that is no SQL", "`You are NOT logged in`"],
  ])("may be upper case in %s", (_, source) => {
    expect(styleProblems(source)).toEqual([]);
  });
});

test.each([
  ['log.info("bus.attached")', true],
  ['o.log.warn("bus.publish_failed", { error })', true],
  [`log.info(\`order.\${state.toLowerCase()}\`)`, true],
  ['log?.error(\n  "web.request_failed")', true],
  ['log.info("bus.publish-failed")', false],
  ['log.info("Attached")', false],
  ['log.info("attached")', false],
  [`log.warn(\`saga.\${name}-refused\`)`, false],
])("a log event is named noun.verb: %s", (source, isNamedWell) => {
  expect(styleProblems(source).length === 0).toBe(isNamedWell);
});

test.each([
  ['log.info("order.placed", { orderId, userId })', "userId"],
  ['o.log.warn("call.failed", {\n  address: order.address,\n  error,\n})', "address"],
  ['log.error("x.y", { error, token })', "token"],
  ['log.info("order.placed", { orderId, tokens: 3 })', undefined],
  ['log.info("order.placed", { message: "no address" })', undefined],
])("no personal data is a field of a log record: %s", (source, name) => {
  const problems = styleProblems(source).map(({ problem }) => problem);
  expect(problems).toEqual(
    name === undefined ? [] : [`do not log "${name}": it is personal or secret`],
  );
});

test.each([
  ["const batchSize = 100;", []],
  ["export const BATCH_SIZE = 100;", ["name the constant BATCH_SIZE in camelCase"]],
  ["const OrderSchema = messageDesc();", []],
])("a constant of a module is in camelCase: %s", (source, expected) => {
  expect(styleProblems(source).map(({ problem }) => problem)).toEqual(expected);
});
