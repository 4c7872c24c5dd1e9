import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

/** NOT_FOUND: no payment was ever requested for this order. */
export function paymentNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "PAYMENT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Payment not found",
    message: `Order "${orderId}" has no payment. Call ProcessPayment to create one.`,
  });
}

/** ALREADY_EXISTS: the order was charged, or is being charged, with another amount or user. */
export function paymentExists(orderId: string): DomainError {
  return new DomainError({
    code: "PAYMENT_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Payment exists",
    message: `Order "${orderId}" has a payment with a different amount or user. Send the same amount and user, or use a new order.`,
  });
}

/** FAILED_PRECONDITION: the provider has no capture to give back, and asking again does not change that. */
export function ledgerMismatch(orderId: string): DomainError {
  return new DomainError({
    code: "PAYMENT_LEDGER_MISMATCH",
    rpcCode: Code.FailedPrecondition,
    title: "Provider and payment disagree",
    message: `The provider has no capture for order "${orderId}", whose payment is CAPTURED. Compare its ledger with the payment.`,
  });
}

/** UNAVAILABLE: the provider may or may not have acted. Never charge anew or give up on it: ask again. */
export function outcomeUnknown(
  orderId: string,
  retryAfterMs: number,
  cause?: unknown,
): DomainError {
  return new DomainError({
    code: "PAYMENT_OUTCOME_UNKNOWN",
    rpcCode: Code.Unavailable,
    title: "Payment outcome unknown",
    message: `The provider has not responded for order "${orderId}" yet. Retry with the same order id: nothing is charged twice.`,
    retryAfterMs,
    cause,
  });
}

/** Problem for callers while the database is unavailable. */
export const paymentsUnavailable: Unavailable = {
  code: "PAYMENT_UNAVAILABLE",
  title: "Payments unavailable",
  message: "The payment database is unavailable. Retry the same request in one second.",
};
