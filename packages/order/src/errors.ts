/** The errors of the order service. The codes are stable; clients branch on them. */
import { Code } from "@connectrpc/connect";
import type { MethodProblems } from "@smartcart/contract";
import type { Order } from "@smartcart/gen/order/v1/order_pb";
import { ChangedPricesSchema, RejectedOrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { DomainError } from "@smartcart/mesh";
import type { Unavailable } from "@smartcart/service";

export function orderNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Order not found",
    message: `No order has the id ${orderId}. Check the id, or list the orders of the user with GET /orders?userId=…`,
  });
}

export function shipmentNotFound(orderId: string): DomainError {
  return new DomainError({
    code: "SHIPMENT_NOT_FOUND",
    rpcCode: Code.NotFound,
    title: "Shipment not found",
    message: `Order ${orderId} has no shipment. A shipment starts shortly after the order is confirmed.`,
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
          ? `Order ${order.orderId} was not placed: ${rejection.lines.length} of its lines are not available. Nothing was charged. Order fewer units, or retry later.`
          : `Order ${order.orderId} was not placed: its units could not be reserved (${rejection.reason}). Nothing is charged. Place a new order.`,
      details,
    });
  }
  return new DomainError({
    code: "PAYMENT_DECLINED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 402,
    title: "Payment declined",
    message: `Order ${order.orderId} was not placed: the payment was declined (${rejection?.reason ?? "unknown"}). Nothing was charged. Use another payment method.`,
    details,
  });
}

/** 400. The key is never quoted: it may be as long as a header can be. */
export function invalidIdempotencyKey(): DomainError {
  return new DomainError({
    code: "INVALID_IDEMPOTENCY_KEY",
    rpcCode: Code.InvalidArgument,
    title: "Invalid Idempotency-Key",
    message:
      "The header Idempotency-Key must have 1 to 255 printable ASCII characters, for example a UUID.",
  });
}

/** 400. Over RPC, Node joins repeated headers with a comma: a comma in the key cannot be told from two keys. */
export function repeatedIdempotencyKey(): DomainError {
  return new DomainError({
    code: "DUPLICATE_HEADER",
    rpcCode: Code.InvalidArgument,
    title: "Duplicate header",
    message:
      "The header Idempotency-Key has more than one value, or contains a comma. Send one key without a comma.",
  });
}

/** 422. The key stays bound to its first request for IDEMPOTENCY_KEY_TTL_MS at least. */
export function idempotencyKeyReused(): DomainError {
  return new DomainError({
    code: "IDEMPOTENCY_KEY_REUSED",
    rpcCode: Code.InvalidArgument,
    httpStatus: 422,
    title: "Idempotency-Key reused",
    message:
      "This Idempotency-Key was used with a different request body. Use a new key for a new order.",
  });
}

/** 409. The order exists, but its outcome is not known yet. The same request succeeds once it is. */
export function idempotencyKeyInUse(orderId: string): DomainError {
  return new DomainError({
    code: "IDEMPOTENCY_KEY_IN_USE",
    rpcCode: Code.Aborted,
    httpStatus: 409,
    retryAfterMs: 1_000,
    title: "Idempotency-Key in use",
    message: `The first request with this key (order ${orderId}) is still in progress. Retry the same request in one second.`,
  });
}

/** 409. The total is not the one that the customer saw. `order` has the current prices, and was not stored. */
export function priceChanged({ total, items }: Order): DomainError {
  return new DomainError({
    code: "PRICE_CHANGED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "Price changed",
    message:
      "The total is no longer the expected one, so nothing was ordered. Show the customer the new prices, and send the request again with the new total.",
    details: [{ desc: ChangedPricesSchema, value: { ...(total && { total }), items } }],
  });
}

/** 503. Nothing is stored, and the Idempotency-Key is not used up. */
export function catalogueUnavailable(cause: unknown): DomainError {
  return new DomainError({
    code: "CATALOGUE_UNAVAILABLE",
    rpcCode: Code.Unavailable,
    httpStatus: 503,
    retryAfterMs: 1_000,
    title: "Catalogue unavailable",
    message: "Prices are unavailable, so nothing was ordered. Retry the request shortly.",
    cause,
  });
}

/** 429. Refused before anything is stored, so the same request may be sent again. */
export function tooManyOrders(): DomainError {
  return new DomainError({
    code: "TOO_MANY_ORDERS",
    rpcCode: Code.ResourceExhausted,
    retryAfterMs: 2_000,
    title: "Too many orders",
    message:
      "Too many orders are being processed, so nothing was ordered. Send the same request again after the stated time.",
  });
}

/** 409. The order is neither confirmed nor rejected yet: an order can be cancelled only after that. */
export function orderNotSettled(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_NOT_SETTLED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    retryAfterMs: 1_000,
    title: "Order in progress",
    message: `Order ${orderId} is still in progress. Retry the cancellation in one second.`,
  });
}

/** 409. Final. Shipping decides which of shipment and cancellation came first. */
export function orderAlreadyShipping(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_ALREADY_SHIPPING",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "Too late to cancel",
    message: `The shipment of order ${orderId} has started, so it can no longer be cancelled.`,
  });
}

/** 409. Final. Refund and release of a rejected order happen without a cancellation. */
export function orderWasRejected(orderId: string): DomainError {
  return new DomainError({
    code: "ORDER_REJECTED",
    rpcCode: Code.FailedPrecondition,
    httpStatus: 409,
    title: "Order rejected",
    message: `Order ${orderId} was rejected, so there is nothing to cancel: nothing is charged or shipped.`,
  });
}

/** A refund would take the money away from an order that was paid with it. */
export function orderKeepsPayment(orderId: string, state: string): DomainError {
  return new DomainError({
    code: "ORDER_KEEPS_PAYMENT",
    rpcCode: Code.FailedPrecondition,
    title: "The payment belongs to the order",
    message: `Order ${orderId} is ${state}, so its payment is not refunded on its own. Cancel the order before it is shipped; that refunds it.`,
  });
}

/** Nothing will ever happen to the order again. */
export function orderIsFinal(orderId: string, state: string): DomainError {
  return new DomainError({
    code: "ORDER_FINAL",
    rpcCode: Code.FailedPrecondition,
    title: "The order is final",
    message: `Order ${orderId} is ${state}, so there is nothing to continue.`,
  });
}

/** What a caller is told while the database is away; a repetition with the same key is the same order. */
export const ordersUnavailable: Unavailable = {
  code: "ORDERS_UNAVAILABLE",
  title: "Orders unavailable",
  message:
    "The order database is unavailable. Retry the same request in one second, with the same Idempotency-Key: it places one order.",
};

/** The problems with a status of their own, for the OpenAPI document. */
export const problemsByMethod: MethodProblems = {
  PlaceOrder: {
    402: ["PAYMENT_DECLINED"],
    409: ["OUT_OF_STOCK", "PRICE_CHANGED", "IDEMPOTENCY_KEY_IN_USE"],
    422: ["IDEMPOTENCY_KEY_REUSED"],
  },
  CancelOrder: { 409: ["ORDER_NOT_SETTLED", "ORDER_ALREADY_SHIPPING", "ORDER_REJECTED"] },
};
