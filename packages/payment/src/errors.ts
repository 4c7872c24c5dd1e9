import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

/** NOT_FOUND: nobody asked for money for this order. */
export function paymentNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "PAYMENT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Payment not found",
    message: `There is no payment for order "${orderId}". ProcessPayment makes one.`,
  });
}

/** ALREADY_EXISTS: the order was charged, or is being charged, with another amount or user. */
export function paymentExists(orderId: string): DomainError {
  return new DomainError({
    code: "PAYMENT_EXISTS",
    rpcCode: Code.AlreadyExists,
    title: "Payment exists",
    message: `Order "${orderId}" has a payment with another amount or user. Repeat it as it was, or use a new order.`,
  });
}

/** FAILED_PRECONDITION: the provider has no capture to give back, and asking again does not change that. */
export function ledgerMismatch(orderId: string): DomainError {
  return new DomainError({
    code: "PAYMENT_LEDGER_MISMATCH",
    rpcCode: Code.FailedPrecondition,
    title: "Provider and payment disagree",
    message: `The provider knows no capture of order "${orderId}", which is CAPTURED here. Compare its books with the payment before anything else.`,
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
    message: `The provider has not answered for order "${orderId}" yet. Ask again with the same order id: nothing is charged twice.`,
    retryAfterMs,
    cause,
  });
}

/** What a caller is told while the database is away. */
export const paymentsUnavailable: Unavailable = {
  code: "PAYMENT_UNAVAILABLE",
  title: "Payments unavailable",
  message: "Payments cannot be reached at the moment. Repeat the same request in a second.",
};
