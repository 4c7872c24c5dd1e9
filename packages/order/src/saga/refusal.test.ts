import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { refusalOf } from "./refusal.ts";

/** A row for each code of RPC: whether a service that answers it has decided. */
const decisions: Readonly<Record<keyof typeof Code, boolean>> = {
  InvalidArgument: true,
  NotFound: true,
  AlreadyExists: true,
  FailedPrecondition: true,
  OutOfRange: true,
  Canceled: false,
  Unknown: false,
  DeadlineExceeded: false,
  PermissionDenied: false,
  ResourceExhausted: false,
  Aborted: false,
  Unimplemented: false,
  Internal: false,
  Unavailable: false,
  DataLoss: false,
  Unauthenticated: false,
};

function received(code: Code, problem?: { code: string; retryAfterMs?: number }): ConnectError {
  const details = problem ? [{ desc: ProblemSchema, value: problem }] : [];
  return new ConnectError("no", code, undefined, details);
}

describe("a refusal", () => {
  it("is known for every code there is", () => {
    const codes = Object.keys(Code).filter((name) => Number.isNaN(Number(name)));
    expect(Object.keys(decisions).sort()).toEqual(codes.sort());
  });

  it.each(Object.entries(decisions))("is what %s says: %s", (name, isDecision) => {
    const error = received(Code[name as keyof typeof Code], { code: "SOME_CODE" });
    expect(refusalOf(error)).toEqual(isDecision ? { code: "SOME_CODE" } : undefined);
  });

  it("is nothing that a proxy says, or that asks for patience, or that is no answer at all", () => {
    expect(refusalOf(received(Code.NotFound))).toBeUndefined();
    const patience = { code: "ORDER_NOT_SETTLED", retryAfterMs: 1_000 };
    expect(refusalOf(received(Code.FailedPrecondition, patience))).toBeUndefined();
    expect(refusalOf(new Error("inventory answered nothing"))).toBeUndefined();
    expect(refusalOf(undefined)).toBeUndefined();
  });
});
