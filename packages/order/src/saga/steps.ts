/**
 * What the saga does in each state: one idempotent call to another service, and what its answer makes of the order. Every
 * call carries the order's id, so that any process may repeat it at any time. A missing answer is never taken
 * for a refusal: the call throws, the order keeps its state, and the step is done again. A refusal (refusal.ts) on the way to a
 * confirmed order rejects the order, and the earlier steps are compensated in reverse.
 */
import type { Client } from "@connectrpc/connect";
import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { StockShortage } from "@smartcart/gen/inventory/v1/reservation_pb";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import type { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { SagaStep } from "../crash-points.ts";
import type { Rejection, StoredOrder, Transition } from "../order.ts";
import { advance } from "../order.ts";
import type { Refusal } from "./refusal.ts";

/** Clients of the services that the saga calls. They carry deadlines, retries and the call's identity. */
export interface Peers {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
  readonly shipping: Client<typeof ShippingService>;
}

interface StepContext {
  readonly peers: Peers;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** One call of the saga. `run` may be repeated at any time: another service recognises the order's id. */
export interface Step {
  readonly name: Exclude<SagaStep, "receive">;
  /** The service that is called. */
  readonly peer: keyof Peers;
  readonly run: (order: StoredOrder, context: StepContext) => Promise<Transition>;
  /** What the order becomes where the call was refused for good; unset where only a person can go on. */
  readonly refused?: (order: StoredOrder, refusal: Refusal, now: () => Date) => Transition;
}

/** The step that takes the order out of its state; undefined where the saga has nothing to do. */
export function stepFor({ state }: Pick<StoredOrder, "state">): Step | undefined {
  switch (state) {
    case "RECEIVED":
      return { name: "reserve", peer: "inventory", run: reserve, refused: notReserved };
    case "STOCK_RESERVED":
      return { name: "charge", peer: "payment", run: charge, refused: notCharged };
    case "PAID":
      return { name: "commit", peer: "inventory", run: commit, refused: notCommitted };
    case "CANCEL_REQUESTED":
      return { name: "stop-shipment", peer: "shipping", run: stopShipment, refused: notStopped };
    // The outcome is public, and money or units are still to go back: nothing else would put that right.
    case "REJECTED_REFUNDING":
    case "CANCELLED_REFUNDING":
      return { name: "refund", peer: "payment", run: refund };
    case "REJECTED_RELEASING":
    case "CANCELLED_RELEASING":
      return { name: "release", peer: "inventory", run: release };
    case "CONFIRMED":
    case "SHIPPING":
    case "SHIPPED":
    case "REJECTED":
    case "CANCELLED":
      return undefined;
  }
}

async function reserve(order: StoredOrder, { peers, signal, now }: StepContext) {
  const lines = order.items.map(({ productId, quantity }) => ({ productId, quantity }));
  const { outcome } = await peers.inventory.reserve(
    { reservationId: order.orderId, lines },
    { signal },
  );
  switch (outcome.case) {
    case "reservation":
      // The id was released before: it can never be committed, so nothing is charged for it.
      if (outcome.value.status === ReservationStatus.RELEASED) {
        return notReserved(order, { code: "RESERVATION_RELEASED" }, now);
      }
      // One that has expired meanwhile is taken up as well: the commit takes the units again or says that they are gone.
      return advance(order, "STOCK_RESERVED", [
        { milestone: OrderMilestone.STOCK_RESERVED, occurredAt: now() },
      ]);
    case "shortage":
      return advance(order, "REJECTED", [outOfStock(now())], shortageRejection(outcome.value));
    case undefined:
      throw new Error(`inventory answered nothing about reservation ${order.orderId}`);
  }
}

/** RESERVATION_EXISTS and the like. Whatever is set aside under the order's id goes back. */
function notReserved(order: StoredOrder, { code }: Refusal, now: () => Date): Transition {
  return advance(order, "REJECTED_RELEASING", [outOfStock(now())], stockRejection(code));
}

async function charge(order: StoredOrder, { peers, signal, now }: StepContext) {
  const { payment } = await peers.payment.processPayment(
    {
      orderId: order.orderId,
      userId: order.userId,
      amount: { currencyCode: order.currencyCode, minorUnits: order.totalMinor },
      paymentToken: order.paymentToken,
    },
    { signal },
  );
  switch (payment?.status) {
    case PaymentStatus.CAPTURED:
      return advance(order, "PAID", [
        { milestone: OrderMilestone.PAYMENT_CONFIRMED, occurredAt: now() },
      ]);
    case PaymentStatus.DECLINED:
    case PaymentStatus.FAILED:
    case PaymentStatus.REFUNDED:
      return advance(
        order,
        "REJECTED_RELEASING",
        [{ milestone: OrderMilestone.PAYMENT_DECLINED, occurredAt: now() }],
        { code: "PAYMENT_DECLINED", reason: payment.declineCode, lines: [] },
      );
    default:
      // PENDING is an unknown outcome in other words.
      throw new Error(`the payment of order ${order.orderId} is not settled yet`);
  }
}

/**
 * PAYMENT_EXISTS and the like: what stands under the order's id is not its payment. The refund sees to it that no money of
 * that id is kept, and that none will be taken later.
 */
function notCharged(order: StoredOrder, { code }: Refusal, now: () => Date): Transition {
  return advance(
    order,
    "REJECTED_REFUNDING",
    [{ milestone: OrderMilestone.PAYMENT_DECLINED, occurredAt: now() }],
    { code: "PAYMENT_DECLINED", reason: code.toLowerCase(), lines: [] },
  );
}

async function commit(order: StoredOrder, { peers, signal, now }: StepContext) {
  const { outcome } = await peers.inventory.commitReservation(
    { reservationId: order.orderId },
    { signal },
  );
  switch (outcome.case) {
    case "reservation":
      if (outcome.value.status !== ReservationStatus.COMMITTED) {
        throw new Error(`inventory answered a commit of ${order.orderId} that is not committed`);
      }
      return advance(order, "CONFIRMED", [
        { milestone: OrderMilestone.CONFIRMED, occurredAt: now() },
      ]);
    case "shortage":
      return advance(
        order,
        "REJECTED_REFUNDING",
        [outOfStock(now())],
        shortageRejection(outcome.value),
      );
    case undefined:
      throw new Error(`inventory answered nothing about the commit of ${order.orderId}`);
  }
}

/** RESERVATION_RELEASED, RESERVATION_NOT_FOUND: the units are not the order's any more, so its money goes back. */
function notCommitted(order: StoredOrder, { code }: Refusal, now: () => Date): Transition {
  return advance(order, "REJECTED_REFUNDING", [outOfStock(now())], stockRejection(code));
}

async function stopShipment(order: StoredOrder, { peers, signal, now }: StepContext) {
  await peers.shipping.cancelShipment({ orderId: order.orderId }, { signal });
  return advance(order, "CANCELLED_REFUNDING", [
    { milestone: OrderMilestone.CANCELLED, occurredAt: now() },
  ]);
}

/** SHIPMENT_STARTED above all: too late. The order goes on as if it had not been cancelled. */
function notStopped(order: StoredOrder): Transition {
  return advance(order, "CONFIRMED");
}

async function refund(order: StoredOrder, { peers, signal, now }: StepContext) {
  const rejected = order.state === "REJECTED_REFUNDING";
  const { payment } = await peers.payment.refundPayment(
    { orderId: order.orderId, reason: rejected ? reasonOf(order) : "cancelled" },
    { signal },
  );
  const refunded = {
    milestone: OrderMilestone.REFUNDED,
    occurredAt: now(),
  };
  // A charge that was refused had taken nothing, unless there was a payment that was not the order's.
  const gaveBack = payment?.status === PaymentStatus.REFUNDED;
  const happenings = gaveBack || order.rejection?.code !== "PAYMENT_DECLINED" ? [refunded] : [];
  return advance(order, rejected ? "REJECTED_RELEASING" : "CANCELLED_RELEASING", happenings);
}

async function release(order: StoredOrder, { peers, signal }: StepContext) {
  await peers.inventory.releaseReservation({ reservationId: order.orderId }, { signal });
  return advance(order, order.state === "REJECTED_RELEASING" ? "REJECTED" : "CANCELLED");
}

function reasonOf({ rejection }: StoredOrder): string {
  return rejection?.code === "PAYMENT_DECLINED" ? "payment refused" : "out of stock";
}

function stockRejection(code: string): Rejection {
  return { code: "OUT_OF_STOCK", reason: code.toLowerCase(), lines: [] };
}

function outOfStock(occurredAt: Date) {
  return { milestone: OrderMilestone.OUT_OF_STOCK, occurredAt };
}

function shortageRejection(shortage: StockShortage): Rejection {
  return {
    code: "OUT_OF_STOCK",
    reason: "",
    lines: shortage.lines.map(({ productId, requested, available = 0 }) => ({
      productId,
      requested,
      available,
    })),
  };
}
