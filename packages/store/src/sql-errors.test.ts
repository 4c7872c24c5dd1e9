import { describe, expect, test } from "vitest";
import { constraintOf, isConnectionError, isUniqueViolation, sqlStateOf } from "./sql-errors.ts";

function sqlError(code: string, constraint?: string): Error {
  return Object.assign(new Error("from PostgreSQL"), { code, severity: "ERROR", constraint });
}

describe("SQL errors", () => {
  test("are recognised behind other errors", () => {
    const error = new Error("outer", { cause: sqlError("23505", "orders_pkey") });
    expect(isUniqueViolation(error)).toBe(true);
    expect(constraintOf(error)).toBe("orders_pkey");
    expect(sqlStateOf(error)).toBe("23505");
    expect(isConnectionError(error)).toBe(false);
  });

  test.each([
    Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
    new AggregateError([Object.assign(new Error("connect"), { code: "ECONNREFUSED" })]),
    sqlError("57P01"),
    sqlError("08006"),
    new Error("Connection terminated unexpectedly"),
    new Error("timeout exceeded when trying to connect"),
    new Error("outer", { cause: Object.assign(new Error("read"), { code: "ECONNRESET" }) }),
  ])("a lost connection is a connection error: %s", (error) => {
    expect(isConnectionError(error)).toBe(true);
  });

  test.each([undefined, null, "57P01", new Error("other"), sqlError("40001")])(
    "everything else is none: %s",
    (error) => {
      expect(isConnectionError(error)).toBe(false);
    },
  );

  test("a network code is no SQLSTATE", () => {
    expect(sqlStateOf(Object.assign(new Error("x"), { code: "EPIPE" }))).toBeUndefined();
  });
});
