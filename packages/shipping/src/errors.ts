/** The errors of the shipping service. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

export function shipmentNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Shipment not found",
    message: `Order ${orderId} has no shipment. A shipment starts shortly after the order is confirmed.`,
  });
}

/** 409. Final: a shipment that has started is not stopped. */
export function shipmentStarted(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_STARTED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "Shipment started",
    message: `The shipment of order ${orderId} has started, so it can no longer be cancelled.`,
  });
}

/** Problem for callers while the database is unavailable. */
export const shipmentsUnavailable: Unavailable = {
  code: "SHIPPING_UNAVAILABLE",
  title: "Shipments unavailable",
  message: "The shipping database is unavailable. Retry the same call.",
};
