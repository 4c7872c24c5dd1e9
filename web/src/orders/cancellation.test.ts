import { expect, test } from "vitest";
import { parseProblem } from "../api/problem.ts";
import { cancellationAfter, isCancellable } from "./cancellation.ts";

const problem = (status: number, code: string) =>
  cancellationAfter({
    kind: "problem",
    problem: parseProblem(status, { code, title: "No" }, null),
  });

test.each([
  [409, "ORDER_ALREADY_SHIPPING", { kind: "too-late" }],
  [409, "ORDER_NOT_SETTLED", { kind: "too-early" }],
  [409, "ORDER_REJECTED", { kind: "moot" }],
  [503, "UPSTREAM_UNAVAILABLE", { kind: "failed", detail: "No" }],
])("%i %s", (status, code, expected) => {
  expect(problem(status, code)).toEqual(expected);
});

test("an order that is cancelled says so itself; one that is not yet is being cancelled", () => {
  const answer = (status: "CANCELLED" | "CONFIRMED") =>
    cancellationAfter({ kind: "ok", status: 200, body: { status } }).kind;
  expect(answer("CANCELLED")).toBe("moot");
  expect(answer("CONFIRMED")).toBe("under-way");
});

test("no answer leaves it open", () => {
  expect(cancellationAfter({ kind: "unreachable" })).toEqual({ kind: "failed", detail: "" });
});

test("what is being shipped or has ended is not offered", () => {
  expect(isCancellable({ status: "CONFIRMED" })).toBe(true);
  expect(isCancellable({ status: "SHIPPING" })).toBe(false);
  expect(isCancellable({ status: "CANCELLED" })).toBe(false);
});
