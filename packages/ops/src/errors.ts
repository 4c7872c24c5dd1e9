import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";

/** The queue keeps no dead letters, or is none of the contract. */
export function queueNotFound(queue: string, known: readonly string[]): DomainError {
  return new DomainError({
    code: "QUEUE_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "There is no such queue",
    message: `There is no queue "${queue}" with dead letters; there are ${known.join(", ")}.`,
  });
}

/** No process of the service answers. */
export function serviceUnreachable(service: string, cause: unknown): DomainError {
  return new DomainError({
    code: "SERVICE_UNREACHABLE",
    rpcCode: Code.Unavailable,
    title: "The service does not answer",
    message: `${service} does not answer, so that nothing can be switched there. Try again when it is back.`,
    retryAfterMs: 1000,
    cause,
  });
}

/** The invariants cannot be looked at now. */
export function checkFailed(cause: unknown): DomainError {
  return new DomainError({
    code: "CHECK_FAILED",
    rpcCode: Code.Unavailable,
    title: "The invariants cannot be looked at",
    message: "The database did not answer what the invariants ask of it. Try again.",
    retryAfterMs: 1000,
    cause,
  });
}
