/** Every way in which the shipping service says no. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";
import { isConnectionError } from "@smartcart/store";

export function shipmentNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Shipment not found",
    message: `Order ${orderId} has no shipment. A shipment starts shortly after the order is confirmed.`,
  });
}

export function shipmentStarted(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_STARTED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "Shipment started",
    message: `The shipment of order ${orderId} has started, so it can no longer be cancelled.`,
  });
}

/** An error of the database as the caller is to see it: a lost connection is worth another try. */
export function toServiceError(error: unknown): unknown {
  if (!isConnectionError(error)) return error;
  return new DomainError({
    code: "SHIPPING_UNAVAILABLE",
    rpcCode: Code.Unavailable,
    retryAfterMs: 1000,
    title: "Shipments unavailable",
    message: "The shipping database is unavailable. Retry the same call.",
    cause: error,
  });
}
