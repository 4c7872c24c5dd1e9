/**
 * The order's life as a table of legal edges. Pure; every change of state in this package goes through `assertLegal`.
 *
 * RECEIVED → STOCK_RESERVED → PAID → CONFIRMED → SHIPPING → SHIPPED is the way through. The states that begin with
 * REJECTED_ and CANCELLED_ are compensations under way: the outcome is decided and public, refund and release
 * still have to be carried out, in that order.
 */
import { Order_Status } from "@smartcart/gen/order/v1/order_pb";

/** Stored by name in `orders.state`, whose check constraint lists them: a new state needs a migration, and none may be renamed. */
export const orderStates = [
  "RECEIVED",
  "STOCK_RESERVED",
  "PAID",
  "CONFIRMED",
  "SHIPPING",
  "SHIPPED",
  "REJECTED_REFUNDING",
  "REJECTED_RELEASING",
  "REJECTED",
  "CANCEL_REQUESTED",
  "CANCELLED_REFUNDING",
  "CANCELLED_RELEASING",
  "CANCELLED",
] as const;

/** Finer than the status of the contract, which `publicStatus` derives. */
export type OrderState = (typeof orderStates)[number];

/** For each state, the states that may follow it. */
export const legalEdges: Readonly<Record<OrderState, readonly OrderState[]>> = {
  // A shortage leaves nothing behind; what was refused for another reason may, and is released.
  RECEIVED: ["STOCK_RESERVED", "REJECTED", "REJECTED_RELEASING"],
  STOCK_RESERVED: ["PAID", "REJECTED_RELEASING", "REJECTED_REFUNDING"],
  PAID: ["CONFIRMED", "REJECTED_REFUNDING"],
  // Straight to SHIPPED where both events of the shipment are applied at once.
  CONFIRMED: ["SHIPPING", "SHIPPED", "CANCEL_REQUESTED"],
  SHIPPING: ["SHIPPED"],
  SHIPPED: [],
  REJECTED_REFUNDING: ["REJECTED_RELEASING"],
  REJECTED_RELEASING: ["REJECTED"],
  REJECTED: [],
  // Shipping decides who was first: it stops the shipment, or the request comes too late.
  CANCEL_REQUESTED: ["CANCELLED_REFUNDING", "CONFIRMED", "SHIPPING", "SHIPPED"],
  CANCELLED_REFUNDING: ["CANCELLED_RELEASING"],
  CANCELLED_RELEASING: ["CANCELLED"],
  CANCELLED: [],
};

/** Throws where the edge is not in the table: a bug of this service, never a fault of the caller. */
export function assertLegal(orderId: string, from: OrderState, to: OrderState): void {
  if (!legalEdges[from].includes(to)) {
    throw new Error(`order ${orderId} cannot go from ${from} to ${to}`);
  }
}

/** Whether the saga still has something to do, so that a driver or the resumer has to see to it. */
export function isSagaPending(state: OrderState): boolean {
  switch (state) {
    case "RECEIVED":
    case "STOCK_RESERVED":
    case "PAID":
    case "REJECTED_REFUNDING":
    case "REJECTED_RELEASING":
    case "CANCEL_REQUESTED":
    case "CANCELLED_REFUNDING":
    case "CANCELLED_RELEASING":
      return true;
    case "CONFIRMED":
    case "SHIPPING":
    case "SHIPPED":
    case "REJECTED":
    case "CANCELLED":
      return false;
  }
}

/** The status of the contract that a state maps to. */
export function publicStatus(state: OrderState): Order_Status {
  switch (state) {
    case "RECEIVED":
    case "STOCK_RESERVED":
    case "PAID":
      return Order_Status.PENDING;
    case "CONFIRMED":
    case "CANCEL_REQUESTED":
      return Order_Status.CONFIRMED;
    case "SHIPPING":
      return Order_Status.SHIPPING;
    case "SHIPPED":
      return Order_Status.SHIPPED;
    case "REJECTED_REFUNDING":
    case "REJECTED_RELEASING":
    case "REJECTED":
      return Order_Status.REJECTED;
    case "CANCELLED_REFUNDING":
    case "CANCELLED_RELEASING":
    case "CANCELLED":
      return Order_Status.CANCELLED;
  }
}

/** Whether nothing will ever happen to the order again, so that a stream of its history may end. */
export function isFinal(state: OrderState): boolean {
  return legalEdges[state].length === 0;
}
