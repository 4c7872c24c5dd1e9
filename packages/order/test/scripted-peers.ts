/**
 * Inventory, payment and shipping as a small honest world in memory, behind real Connect transports. Each keeps what was done to it,
 * and each call can be told to go wrong in every way in which a network does.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, Transport } from "@connectrpc/connect";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { ProductSchema } from "@smartcart/gen/inventory/v1/product_pb";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { PaymentStatus } from "@smartcart/gen/payment/v1/payment_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import { ShippingService } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { delay } from "@smartcart/runtime";
import type { Peers } from "../src/saga/steps.ts";

export const peerCalls = [
  "reserve",
  "processPayment",
  "commitReservation",
  "releaseReservation",
  "refundPayment",
  "cancelShipment",
] as const;

export type PeerCall = (typeof peerCalls)[number];

export const faults = [
  /** Fails, and nothing was done. */
  "before",
  /** Fails, and it was done. */
  "after",
  /** Never answers, and nothing was done: the deadline ends the call. */
  "unheard",
  /** Never answers, and it was done. */
  "unanswered",
  /** Answers late, within the deadline. */
  "late",
  /** Is delivered twice. */
  "twice",
] as const;

export type Fault = (typeof faults)[number];

export interface World {
  /** Makes the next call of that kind go wrong. */
  failNext(call: PeerCall, fault: Fault): void;
  /** Makes every call of that kind end with this problem, and do nothing, until it is `undefined`. */
  refuse(
    call: PeerCall,
    refusal: { readonly code: string; readonly rpcCode: Code } | undefined,
  ): void;
  /** Faults that no call has met yet. */
  readonly pendingFaults: number;
  /** Every call that arrived, in order. */
  readonly calls: PeerCall[];
  /** Lets a held reservation expire and its units go to another order. */
  expireAndSellOut(): void;
  /** The catalogue, by id. */
  readonly products: Map<string, MessageInitShape<typeof ProductSchema>>;
  stock: number;
  readonly reservations: Map<string, ReservationStatus>;
  /** How often money was taken and given back, by order. */
  readonly captures: Map<string, number>;
  readonly refunds: Map<string, number>;
  readonly stoppedShipments: Set<string>;
  readonly startedShipments: Set<string>;
}

/** When the deadline of a call ends that is not answered, in milliseconds; the mesh gives real calls seconds. */
const deadlineMs = 100;
/** How late a late answer is. */
const lateMs = 20;

/** `transport` is the way to all three services, for a service that makes its own clients. */
export function createWorld(): { world: World; peers: Peers; transport: Transport } {
  const planned: Array<{ call: PeerCall; fault: Fault }> = [];
  const refusals = new Map<PeerCall, ConnectError>();
  let soldOut = false;
  const world: World = {
    failNext: (call, fault) => void planned.push({ call, fault }),
    refuse(call, refusal) {
      if (refusal === undefined) refusals.delete(call);
      else refusals.set(call, problem(refusal.code, refusal.rpcCode));
    },
    get pendingFaults() {
      return planned.length;
    },
    expireAndSellOut: () => {
      soldOut = true;
    },
    calls: [],
    products: new Map([
      ["tea", { name: "Tea", price: { currencyCode: "USD", minorUnits: 450n } }],
      ["pot", { name: "Pot", price: { currencyCode: "USD", minorUnits: 2_999n } }],
    ]),
    stock: 100,
    reservations: new Map(),
    captures: new Map(),
    refunds: new Map(),
    stoppedShipments: new Set(),
    startedShipments: new Set(),
  };
  /** Does what a call asks for, unless the fault planned for it is in the way. */
  async function effect<T>(call: PeerCall, { signal }: HandlerContext, run: () => T): Promise<T> {
    world.calls.push(call);
    const refusal = refusals.get(call);
    if (refusal) throw refusal;
    const index = planned.findIndex((each) => each.call === call);
    const [{ fault } = {}] = index === -1 ? [] : planned.splice(index, 1);
    if (fault === "before") throw unavailable(`${call} failed before its effect`);
    if (fault === "unheard") await silence(signal);
    const answer = run();
    if (fault === "twice") return run();
    if (fault === "after") throw unavailable(`${call} failed after its effect`);
    if (fault === "unanswered") await silence(signal);
    if (fault === "late") await delay(lateMs, signal);
    return answer;
  }
  const { reservations, captures, refunds } = world;
  /** Units that a reservation holds or has bought. */
  const units = new Map<string, number>();
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
      batchGetProducts: ({ productIds }) => ({
        products: productIds.flatMap((productId) => {
          const product = world.products.get(productId);
          return product ? [{ productId, ...product }] : [];
        }),
      }),
      reserve: ({ reservationId, lines }, context) =>
        effect("reserve", context, () => {
          const wanted = lines.reduce((sum, line) => sum + line.quantity, 0);
          if (!reservations.has(reservationId)) {
            if (wanted > world.stock) return shortage(lines[0]?.productId ?? "", wanted);
            world.stock -= wanted;
            units.set(reservationId, wanted);
            reservations.set(reservationId, ReservationStatus.HELD);
          }
          return reservation(reservationId);
        }),
      commitReservation: ({ reservationId }, context) =>
        effect("commitReservation", context, () => {
          if (reservations.get(reservationId) === ReservationStatus.RELEASED) {
            throw problem("RESERVATION_RELEASED");
          }
          if (soldOut) {
            units.delete(reservationId);
            reservations.set(reservationId, ReservationStatus.EXPIRED);
            return shortage("tea", 1);
          }
          reservations.set(reservationId, ReservationStatus.COMMITTED);
          return reservation(reservationId);
        }),
      releaseReservation: ({ reservationId }, context) =>
        effect("releaseReservation", context, () => {
          world.stock += units.get(reservationId) ?? 0;
          units.delete(reservationId);
          reservations.set(reservationId, ReservationStatus.RELEASED);
          return { reservation: { reservationId, status: ReservationStatus.RELEASED } };
        }),
    });
    router.service(PaymentService, {
      processPayment: ({ orderId, paymentToken }, context) =>
        effect("processPayment", context, () => {
          if (paymentToken === "tok_declined") {
            return {
              payment: { orderId, status: PaymentStatus.DECLINED, declineCode: "card_declined" },
            };
          }
          if (refunds.has(orderId)) {
            return { payment: { orderId, status: PaymentStatus.REFUNDED } };
          }
          if (!captures.has(orderId)) captures.set(orderId, 1);
          return { payment: { orderId, status: PaymentStatus.CAPTURED } };
        }),
      refundPayment: ({ orderId }, context) =>
        effect("refundPayment", context, () => {
          if (captures.has(orderId) && !refunds.has(orderId)) refunds.set(orderId, 1);
          const status = captures.has(orderId) ? PaymentStatus.REFUNDED : PaymentStatus.FAILED;
          return { payment: { orderId, status } };
        }),
    });
    router.service(ShippingService, {
      cancelShipment: ({ orderId }, context) =>
        effect("cancelShipment", context, () => {
          if (world.startedShipments.has(orderId)) throw problem("SHIPMENT_STARTED");
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
  return { world, peers, transport };
}

function unavailable(message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable);
}

function problem(code: string, rpcCode = Code.FailedPrecondition): ConnectError {
  const details = [{ desc: ProblemSchema, value: { code } }];
  return new ConnectError("too late", rpcCode, undefined, details);
}

/** No answer until the deadline of the caller. */
async function silence(signal: AbortSignal): Promise<never> {
  await delay(deadlineMs, signal);
  throw new ConnectError("the deadline is over", Code.DeadlineExceeded);
}
