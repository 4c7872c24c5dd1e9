import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";

/** The queue keeps no dead letters, or is none of the contract. */
export function queueNotFound(queue: string, known: readonly string[]): DomainError {
  return new DomainError({
    code: "QUEUE_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Queue not found",
    message: `No queue with dead letters has the name "${queue}". Use one of: ${known.join(", ")}.`,
  });
}

/** No process of the service answers. */
export function serviceUnreachable(service: string, cause: unknown): DomainError {
  return new DomainError({
    code: "SERVICE_UNREACHABLE",
    rpcCode: Code.Unavailable,
    title: "Service unreachable",
    message: `The service ${service} does not respond, so its switches were not changed. Retry when it is ready.`,
    retryAfterMs: 1000,
    cause,
  });
}

/** The invariants cannot be looked at now. */
export function checkFailed(cause: unknown): DomainError {
  return new DomainError({
    code: "CHECK_FAILED",
    rpcCode: Code.Unavailable,
    title: "Invariants unavailable",
    message: "The database did not complete the check of the invariants. Retry.",
    retryAfterMs: 1000,
    cause,
  });
}
