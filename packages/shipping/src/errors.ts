/** Every way in which the shipping service says no. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import { DomainError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

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

/** What a caller is told while the database is away. */
export const shipmentsUnavailable: Unavailable = {
  code: "SHIPPING_UNAVAILABLE",
  title: "The shipments cannot be read",
  message: "The shipping service has lost its database for the moment. Send the same call again.",
};
