/**
 * Inventory, payment and shipping as a small honest world in memory, behind real Connect transports. Each keeps what was done to it,
 * and each call can be told to fail before its effect, or after it, as a lost answer does.
 */
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import type { Peers } from "../src/saga/steps.ts";

export type PeerCall =
  | "reserve"
  | "processPayment"
  | "commitReservation"
  | "releaseReservation"
  | "refundPayment"
  | "cancelShipment";

export interface World {
  /** Makes the next call of that kind fail before or after its effect. */
  failNext(call: PeerCall, when: "before" | "after"): void;
  /** Lets a held reservation expire and its units go to somebody else. */
  expireAndSellOut(): void;
  stock: number;
  readonly reservations: Map<string, ReservationStatus>;
  /** How often money was taken and given back, by order. */
  readonly captures: Map<string, number>;
  readonly refunds: Map<string, number>;
  readonly stoppedShipments: Set<string>;
  readonly startedShipments: Set<string>;
}

export function createWorld(): { world: World; peers: Peers } {
  const faults: Array<{ call: PeerCall; when: "before" | "after" }> = [];
  let soldOut = false;
  const world: World = {
    failNext: (call, when) => void faults.push({ call, when }),
    expireAndSellOut: () => {
      soldOut = true;
    },
    stock: 100,
    reservations: new Map(),
    captures: new Map(),
    refunds: new Map(),
    stoppedShipments: new Set(),
    startedShipments: new Set(),
  };
  const fault = (call: PeerCall, when: "before" | "after") => {
    const index = faults.findIndex((planned) => planned.call === call && planned.when === when);
    if (index === -1) return;
    faults.splice(index, 1);
    throw new ConnectError(`${call} failed ${when} its effect`, Code.Unavailable);
  };
  const effect = <T>(call: PeerCall, run: () => T): T => {
    fault(call, "before");
    const answer = run();
    fault(call, "after");
    return answer;
  };
  const { reservations, captures, refunds } = world;
  const reservation = (reservationId: string) => ({
    outcome: {
      case: "reservation" as const,
      value: { reservationId, status: reservations.get(reservationId) ?? ReservationStatus.HELD },
    },
  });
  const shortage = (productId: string, requested: number) => ({
    outcome: {
      case: "shortage" as const,
      value: { lines: [{ productId, requested, available: world.stock }] },
    },
  });

  const transport = createRouterTransport((router) => {
    router.service(InventoryService, {
      listProducts: () => ({
        products: [
          { productId: "tea", name: "Tea", price: { currencyCode: "USD", minorUnits: 450n } },
          { productId: "pot", name: "Pot", price: { currencyCode: "USD", minorUnits: 2_999n } },
        ],
      }),
      reserve: ({ reservationId, lines }) =>
        effect("reserve", () => {
          const units = lines.reduce((sum, line) => sum + line.quantity, 0);
          if (!reservations.has(reservationId)) {
            if (units > world.stock) return shortage(lines[0]?.productId ?? "", units);
            world.stock -= units;
            reservations.set(reservationId, ReservationStatus.HELD);
          }
          return reservation(reservationId);
        }),
      commitReservation: ({ reservationId }) =>
        effect("commitReservation", () => {
          if (soldOut) {
            reservations.set(reservationId, ReservationStatus.EXPIRED);
            return shortage("tea", 1);
          }
          reservations.set(reservationId, ReservationStatus.COMMITTED);
          return reservation(reservationId);
        }),
      releaseReservation: ({ reservationId }) =>
        effect("releaseReservation", () => {
          reservations.set(reservationId, ReservationStatus.RELEASED);
          return { reservation: { reservationId, status: ReservationStatus.RELEASED } };
        }),
    });
    router.service(PaymentService, {
      processPayment: ({ orderId, paymentToken }) =>
        effect("processPayment", () => {
          if (paymentToken === "tok_declined") {
            return {
              payment: { orderId, status: PaymentStatus.DECLINED, declineCode: "card_declined" },
            };
          }
          if (!captures.has(orderId)) captures.set(orderId, 1);
          return { payment: { orderId, status: PaymentStatus.CAPTURED } };
        }),
      refundPayment: ({ orderId }) =>
        effect("refundPayment", () => {
          if (captures.has(orderId) && !refunds.has(orderId)) refunds.set(orderId, 1);
          return { payment: { orderId, status: PaymentStatus.REFUNDED } };
        }),
    });
    router.service(ShippingService, {
      cancelShipment: ({ orderId }) =>
        effect("cancelShipment", () => {
          if (world.startedShipments.has(orderId)) {
            throw new ConnectError("too late", Code.FailedPrecondition, undefined, [
              { desc: ProblemSchema, value: { code: "SHIPMENT_STARTED" } },
            ]);
          }
          world.stoppedShipments.add(orderId);
          return { shipment: { orderId } };
        }),
    });
  });
  const peers: Peers = {
    inventory: createClient(InventoryService, transport),
    payment: createClient(PaymentService, transport),
    shipping: createClient(ShippingService, transport),
  };
  return { world, peers };
}
