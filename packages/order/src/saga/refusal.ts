/**
 * Tells apart what another service says for good from what is not known. An answer that did not come, a service that is away or broken, and
 * one that asks for patience say nothing about the order: the same call is made again. A refusal is a decision: asked again, the
 * service says the same, so the saga has to go another way.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { problemOf } from "@smartcart/mesh";

/** A decision of another service against a step, which repeating the call does not change. */
export interface Refusal {
  /** The stable code of its problem: "RESERVATION_RELEASED". */
  readonly code: string;
}

/** The refusal that an error stands for; undefined where the outcome of the call is unknown. */
export function refusalOf(error: unknown): Refusal | undefined {
  // Only services of the mesh send a problem: an error without one comes from a proxy or the transport.
  const problem = error instanceof ConnectError ? problemOf(error) : undefined;
  if (problem === undefined || problem.retryAfterMs > 0) return undefined;
  return isDecision((error as ConnectError).code) ? { code: problem.code } : undefined;
}

function isDecision(code: Code): boolean {
  switch (code) {
    case Code.InvalidArgument:
    case Code.NotFound:
    case Code.AlreadyExists:
    case Code.FailedPrecondition:
    case Code.OutOfRange:
      return true;
    // What a person can mend without the order being at fault: a secret, a right, a part of another version.
    case Code.Unauthenticated:
    case Code.PermissionDenied:
    case Code.Unimplemented:
    // Codes that are no decision about the order.
    case Code.Canceled:
    case Code.Unknown:
    case Code.DeadlineExceeded:
    case Code.ResourceExhausted:
    case Code.Aborted:
    case Code.Internal:
    case Code.Unavailable:
    case Code.DataLoss:
      return false;
  }
}
