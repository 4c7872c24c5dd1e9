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

/** Neither the queue nor the archive has it. */
export function deadLetterNotFound(queue: string, messageId: string): DomainError {
  return new DomainError({
    code: "LETTER_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Dead letter not found",
    message: `Queue "${queue}" and the archive have no dead letter "${messageId}". It may have been redriven or deleted.`,
  });
}

/** Its type is not in the contract, so an edited body cannot be checked. */
export function deadLetterNotEditable(type: string): DomainError {
  return new DomainError({
    code: "LETTER_NOT_EDITABLE",
    rpcCode: Code.FailedPrecondition,
    title: "The dead letter cannot be edited",
    message: `"${type}" is no message type of the contract. Redrive the dead letter as it is, archive it or delete it.`,
  });
}

/** The outcome is unknown: the copy may have arrived. */
export function copyNotPublished(queue: string): DomainError {
  return new DomainError({
    code: "COPY_NOT_PUBLISHED",
    rpcCode: Code.Unavailable,
    title: "The copy was not confirmed",
    message: `Queue "${queue}" did not confirm the copy. Look whether it arrived before you send another one.`,
    retryAfterMs: 1000,
  });
}

/** No such order. */
export function orderNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Order not found",
    message: `No order has the id ${orderId}. Check the id, or search the orders.`,
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
