import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { policyOf } from "@smartcart/contract";
import { DomainError } from "../errors/errors.ts";

/** UNAVAILABLE: the server has stopped. */
export function stoppedError(): DomainError {
  return new DomainError({
    code: "SHUTTING_DOWN",
    rpcCode: Code.Unavailable,
    title: "The server is shutting down",
    message: "The server is shutting down. Reconnect and retry the call.",
    retryAfterMs: 1000,
  });
}

/** UNAVAILABLE: all methods together have as many calls as the server takes. */
export function overloadedError(): DomainError {
  return new DomainError({
    code: "OVERLOADED",
    rpcCode: Code.Unavailable,
    title: "The server is overloaded",
    message: "The server has too many calls in progress. Retry after the stated time.",
    retryAfterMs: 1000,
  });
}

/** RESOURCE_EXHAUSTED: the method has as many calls as its contract allows, and as many wait. */
export function methodFullError(method: DescMethod): DomainError {
  const { maxConcurrency } = policyOf(method);
  const isUnary = method.methodKind === "unary";
  return new DomainError({
    code: isUnary ? "TOO_MANY_CALLS" : "TOO_MANY_STREAMS",
    rpcCode: Code.ResourceExhausted,
    title: "Too many at once",
    message: isUnary
      ? `${method.name} works on ${maxConcurrency} calls at once, and too many wait already. Nothing has begun: send the same request again after the time stated.`
      : `${method.name} has ${maxConcurrency} streams open, which is all that it serves. Try again after the time stated.`,
    retryAfterMs: 1000,
  });
}
