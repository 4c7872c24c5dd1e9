/**
 * What the saga does in each state: one idempotent call to another part, and what its answer makes of the order. Every
 * call carries the order's id, so that it may be repeated by anybody at any time. An answer that does not come is
 * never taken for a no: the call throws, the order stays where it is, and the step is done again.
 */
import type { Client } from "@connectrpc/connect";
import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { StockShortage } from "@smartcart/gen/inventory/v1/reservation_pb";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import type { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { problemOf } from "@smartcart/mesh";
import type { SagaStep } from "../crash-points.ts";
import type { Rejection, StoredOrder, Transition } from "../order.ts";
import { advance } from "../order.ts";

export interface Peers {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
  readonly shipping: Client<typeof ShippingService>;
}

export interface StepContext {
  readonly peers: Peers;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

export interface Step {
  readonly name: Exclude<SagaStep, "receive">;
  readonly run: (order: StoredOrder, context: StepContext) => Promise<Transition>;
}

/** The step that takes the order out of its state; undefined where the saga has nothing to do. */
export function stepFor(order: StoredOrder): Step | undefined {
  switch (order.state) {
    case "RECEIVED":
      return { name: "reserve", run: reserve };
    case "STOCK_RESERVED":
      return { name: "charge", run: charge };
    case "PAID":
      return { name: "commit", run: commit };
    case "CANCEL_REQUESTED":
      return { name: "stop-shipment", run: stopShipment };
    case "REJECTED_REFUNDING":
    case "CANCELLED_REFUNDING":
      return { name: "refund", run: refund };
    case "REJECTED_RELEASING":
    case "CANCELLED_RELEASING":
      return { name: "release", run: release };
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
      // One that has expired meanwhile is taken up as well: the commit takes the units again or says that they are gone.
      return advance(order, "STOCK_RESERVED", [
        { milestone: OrderMilestone.STOCK_RESERVED, service: "inventory", occurredAt: now() },
      ]);
    case "shortage":
      return advance(order, "REJECTED", [outOfStock(now())], shortageRejection(outcome.value));
    case undefined:
      throw new Error(`inventory answered nothing about reservation ${order.orderId}`);
  }
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
        { milestone: OrderMilestone.PAYMENT_CONFIRMED, service: "payment", occurredAt: now() },
      ]);
    case PaymentStatus.DECLINED:
    case PaymentStatus.FAILED:
    case PaymentStatus.REFUNDED:
      return advance(
        order,
        "REJECTED_RELEASING",
        [{ milestone: OrderMilestone.PAYMENT_DECLINED, service: "payment", occurredAt: now() }],
        { code: "PAYMENT_DECLINED", reason: payment.declineCode, lines: [] },
      );
    default:
      // PENDING is an unknown outcome in other words.
      throw new Error(`the payment of order ${order.orderId} is not settled yet`);
  }
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
        { milestone: OrderMilestone.CONFIRMED, service: "order", occurredAt: now() },
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

async function stopShipment(order: StoredOrder, { peers, signal, now }: StepContext) {
  try {
    await peers.shipping.cancelShipment({ orderId: order.orderId }, { signal });
  } catch (error) {
    // Too late: the shipment goes on as if nobody had asked.
    if (problemOf(error)?.code === "SHIPMENT_STARTED") return advance(order, "CONFIRMED");
    throw error;
  }
  return advance(order, "CANCELLED_REFUNDING", [
    { milestone: OrderMilestone.CANCELLED, service: "order", occurredAt: now() },
  ]);
}

async function refund(order: StoredOrder, { peers, signal, now }: StepContext) {
  const rejected = order.state === "REJECTED_REFUNDING";
  await peers.payment.refundPayment(
    { orderId: order.orderId, reason: rejected ? "out of stock" : "cancelled" },
    { signal },
  );
  return advance(order, rejected ? "REJECTED_RELEASING" : "CANCELLED_RELEASING", [
    { milestone: OrderMilestone.REFUNDED, service: "payment", occurredAt: now() },
  ]);
}

async function release(order: StoredOrder, { peers, signal }: StepContext) {
  await peers.inventory.releaseReservation({ reservationId: order.orderId }, { signal });
  return advance(order, order.state === "REJECTED_RELEASING" ? "REJECTED" : "CANCELLED");
}

function outOfStock(occurredAt: Date) {
  return { milestone: OrderMilestone.OUT_OF_STOCK, service: "inventory", occurredAt };
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
