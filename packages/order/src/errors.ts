/** Every way in which the order service says no. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import type { Order } from "@smartcart/gen/order/v1/order_pb";
import { RejectedOrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { DomainError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

export function orderNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "There is no such order",
    message: `There is no order ${orderId}. Check the id, or list the user's orders with GET /orders?userId=…`,
  });
}

/** The answer to an order that was rejected: the order exists, and its history says the same. */
export function orderRejected(order: Order): DomainError {
  const rejection = order.rejection;
  const details = [
    {
      desc: RejectedOrderSchema,
      value: {
        orderId: order.orderId,
        reason: rejection?.reason ?? "",
        lines: rejection?.lines ?? [],
      },
    },
  ];
  if (rejection?.code === "OUT_OF_STOCK") {
    return new DomainError({
      code: "OUT_OF_STOCK",
      rpcCode: Code.FailedPrecondition,
      httpStatus: 409,
      title: "Not enough in stock",
      message:
        rejection.lines.length > 0
          ? `Order ${order.orderId} was not placed: ${rejection.lines.length} of its lines fell short. Nothing was charged. Order what is left, or try again later.`
          : `Order ${order.orderId} was not placed: its units could not be kept (${rejection.reason}). Nothing is charged. Place a new order.`,
      details,
    });
  }
  return new DomainError({
    code: "PAYMENT_DECLINED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 402,
    title: "Payment declined",
    message: `Order ${order.orderId} was not placed: the payment was declined (${rejection?.reason ?? "unknown"}). Nothing was charged. Try another means of payment.`,
    details,
  });
}

export function invalidIdempotencyKey(): DomainError {
  return new DomainError({
    code: "INVALID_IDEMPOTENCY_KEY",
    rpcCode: Code.InvalidArgument,
    title: "Idempotency-Key is not usable",
    message: "The header Idempotency-Key takes 1 to 255 printable ASCII characters; send a UUID.",
  });
}

export function repeatedIdempotencyKey(): DomainError {
  return new DomainError({
    code: "DUPLICATE_HEADER",
    rpcCode: Code.InvalidArgument,
    title: "A header was sent twice",
    message:
      "The header Idempotency-Key has more than one value, or a comma in it. Send one key, without a comma.",
  });
}

export function idempotencyKeyReused(): DomainError {
  return new DomainError({
    code: "IDEMPOTENCY_KEY_REUSED",
    rpcCode: Code.InvalidArgument,
    httpStatus: 422,
    title: "Idempotency-Key was used for another request",
    message: "This Idempotency-Key came with another body before. Use a new key for a new order.",
  });
}

export function idempotencyKeyInUse(orderId: string): DomainError {
  return new DomainError({
    code: "IDEMPOTENCY_KEY_IN_USE",
    rpcCode: Code.Aborted,
    httpStatus: 409,
    retryAfterMs: 1_000,
    title: "The first request with this Idempotency-Key is still under way",
    message: `Order ${orderId} has no answer yet. Send the same request again in a second.`,
  });
}

export function catalogueUnavailable(cause: unknown): DomainError {
  return new DomainError({
    code: "CATALOGUE_UNAVAILABLE",
    rpcCode: Code.Unavailable,
    httpStatus: 503,
    retryAfterMs: 1_000,
    title: "The catalogue cannot be read",
    message:
      "Prices cannot be read just now, so nothing was ordered. Send the request again shortly.",
    cause,
  });
}

export function orderNotSettled(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_NOT_SETTLED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    retryAfterMs: 1_000,
    title: "The order is still being placed",
    message: `Order ${orderId} is still being placed. Cancel it again in a second.`,
  });
}

export function orderAlreadyShipping(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_ALREADY_SHIPPING",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "Too late to cancel",
    message: `Order ${orderId} is being shipped already and cannot be cancelled any more.`,
  });
}

export function orderWasRejected(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_REJECTED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "There is nothing to cancel",
    message: `Order ${orderId} was rejected; nothing was charged and nothing will be shipped.`,
  });
}

/** What a caller is told while the database is away; a repetition with the same key is the same order. */
export const ordersUnavailable: Unavailable = {
  code: "ORDERS_UNAVAILABLE",
  title: "Orders cannot be read or written",
  message:
    "The orders cannot be reached just now. Send the same request again in a second, with the same Idempotency-Key: it is one order.",
};
