/** Every way in which the shipping service says no. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";
import { isConnectionError } from "@smartcart/store";

export function shipmentNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "There is no such shipment",
    message: `No shipment of order ${orderId} has begun. It begins shortly after the order is confirmed.`,
  });
}

export function shipmentStarted(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_STARTED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "The shipment has begun",
    message: `Order ${orderId} is being shipped already; it is too late to stop it.`,
  });
}

/** An error of the database as the caller is to see it: a lost connection is worth another try. */
export function toServiceError(error: unknown): unknown {
  if (!isConnectionError(error)) return error;
  return new DomainError({
    code: "SHIPPING_UNAVAILABLE",
    rpcCode: Code.Unavailable,
    retryAfterMs: 1000,
    title: "The shipments cannot be read",
    message: "The shipping service has lost its database for the moment. Send the same call again.",
    cause: error,
  });
}
