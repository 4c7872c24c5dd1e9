/** `CancelOrder`: records the wish, then lets the saga ask shipping, refund and release. */
import { withTimeout } from "@smartcart/runtime";
import {
  orderAlreadyShipping,
  orderNotFound,
  orderNotSettled,
  orderWasRejected,
} from "./errors.ts";
import type { StoredOrder } from "./order.ts";
import { advance } from "./order.ts";
import type { OrderRepository } from "./repository.ts";
import type { OrderSaga } from "./saga/order-saga.ts";

export interface CancelOrderDependencies {
  readonly repository: OrderRepository;
  readonly saga: OrderSaga;
  /** How long to wait for refund and release, in milliseconds. They go on after that. */
  readonly answerTimeoutMs: number;
}

/** The order after the attempt. Idempotent: a cancelled order is answered as it stands. Throws the problem where it is too late or too early. */
export async function cancelOrder(
  orderId: string,
  dependencies: CancelOrderDependencies,
): Promise<StoredOrder> {
  const { repository, saga, answerTimeoutMs } = dependencies;
  const order = await repository.find(orderId);
  if (order === undefined) throw orderNotFound(orderId);
  const requested = await requestCancellation(order, repository);
  await withTimeout(saga.drive(requested), answerTimeoutMs, () => undefined);
  const outcome = await repository.reload(requested);
  // The shipment was quicker.
  if (
    outcome.state === "CONFIRMED" ||
    outcome.state === "SHIPPING" ||
    outcome.state === "SHIPPED"
  ) {
    throw orderAlreadyShipping(orderId);
  }
  return outcome;
}

async function requestCancellation(
  order: StoredOrder,
  repository: OrderRepository,
): Promise<StoredOrder> {
  switch (order.state) {
    case "RECEIVED":
    case "STOCK_RESERVED":
    case "PAID":
      throw orderNotSettled(order.orderId);
    case "REJECTED":
    case "REJECTED_REFUNDING":
    case "REJECTED_RELEASING":
      throw orderWasRejected(order.orderId);
    case "SHIPPING":
    case "SHIPPED":
      throw orderAlreadyShipping(order.orderId);
    case "CANCEL_REQUESTED":
    case "CANCELLED":
    case "CANCELLED_REFUNDING":
    case "CANCELLED_RELEASING":
      return order;
    case "CONFIRMED": {
      const transition = advance(order, "CANCEL_REQUESTED");
      const moved = await repository.advance({ transition, events: [], answer: undefined });
      // It has changed meanwhile: decide again from its new state.
      return moved
        ? transition.to
        : requestCancellation(await repository.reload(order), repository);
    }
  }
}
