/**
 * Every way in which an order can end, with the steps and calls that lead there and what has to be true then, however
 * often it was interrupted. The tables of interruptions and faults are made from this list.
 */
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { OrderMilestone as Milestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { CrashPoint, SagaStep } from "../src/crash-points.ts";
import { allCrashPoints } from "../src/crash-points.ts";
import type { OrderState } from "../src/order-state.ts";
import type { PeerCall, World } from "./scripted-peers.ts";

export interface Outcome {
  readonly name: string;
  /** The steps that may be interrupted, in order. Of a cancelled order, only those after it was placed. */
  readonly steps: readonly SagaStep[];
  /** The calls of these steps, in order. */
  readonly calls: readonly PeerCall[];
  readonly paymentToken?: string;
  /** Makes the world such that it comes to this. */
  readonly prepare?: (world: World) => void;
  /** Set where the order is cancelled once it is placed. */
  readonly cancel?: "in-time" | "too-late";
  readonly end: End;
}

/** What has to be true in the end. */
export interface End {
  readonly state: OrderState;
  readonly history: readonly Milestone[];
  readonly reservation: ReservationStatus | undefined;
  /** Times that money was taken, and given back. */
  readonly captures: number;
  readonly refunds: number;
  /** Units left of 100. */
  readonly stock: number;
  readonly shipmentStopped: boolean;
}

const nothing = { reservation: undefined, captures: 0, refunds: 0, shipmentStopped: false };
const reserved = [Milestone.RECEIVED, Milestone.STOCK_RESERVED];
const paid = [...reserved, Milestone.PAYMENT_CONFIRMED];
const confirmed = [...paid, Milestone.CONFIRMED];
const { COMMITTED, RELEASED } = ReservationStatus;
const sold = { ...nothing, history: confirmed, reservation: COMMITTED, captures: 1, stock: 97 };

export const outcomes: readonly Outcome[] = [
  {
    name: "accepted",
    steps: ["receive", "reserve", "charge", "commit"],
    calls: ["reserve", "processPayment", "commitReservation"],
    end: { ...sold, state: "CONFIRMED" },
  },
  {
    name: "out of stock",
    steps: ["receive", "reserve"],
    calls: ["reserve"],
    prepare: (world) => {
      world.stock = 2;
    },
    end: {
      ...nothing,
      state: "REJECTED",
      history: [Milestone.RECEIVED, Milestone.OUT_OF_STOCK],
      stock: 2,
    },
  },
  {
    name: "declined",
    steps: ["receive", "reserve", "charge", "release"],
    calls: ["reserve", "processPayment", "releaseReservation"],
    paymentToken: "tok_declined",
    end: {
      ...nothing,
      state: "REJECTED",
      history: [...reserved, Milestone.PAYMENT_DECLINED],
      reservation: RELEASED,
      stock: 100,
    },
  },
  {
    name: "expired and sold out",
    steps: ["receive", "reserve", "charge", "commit", "refund", "release"],
    calls: [
      "reserve",
      "processPayment",
      "commitReservation",
      "refundPayment",
      "releaseReservation",
    ],
    prepare: (world) => world.expireAndSellOut(),
    end: {
      ...nothing,
      state: "REJECTED",
      history: [...paid, Milestone.OUT_OF_STOCK, Milestone.REFUNDED],
      reservation: RELEASED,
      captures: 1,
      refunds: 1,
      // Another order has them.
      stock: 97,
    },
  },
  {
    name: "cancelled",
    cancel: "in-time",
    steps: ["stop-shipment", "refund", "release"],
    calls: ["cancelShipment", "refundPayment", "releaseReservation"],
    end: {
      state: "CANCELLED",
      history: [...confirmed, Milestone.CANCELLED, Milestone.REFUNDED],
      reservation: RELEASED,
      captures: 1,
      refunds: 1,
      stock: 100,
      shipmentStopped: true,
    },
  },
  {
    name: "cancelled too late",
    cancel: "too-late",
    steps: ["stop-shipment"],
    calls: ["cancelShipment"],
    end: { ...sold, state: "CONFIRMED" },
  },
];

/** Points that belong to no step. A new one that is missing here does not compile. */
const otherPoints: Record<Exclude<CrashPoint, `${SagaStep}.${string}`>, true> = {
  "answer.before-send": true,
};

function pointsOfStep(step: SagaStep): CrashPoint[] {
  return allCrashPoints.filter((point) => point.startsWith(`${step}.`));
}

/** The points on the way to an outcome, in the order in which they are reached. */
export function pointsOf(outcome: Outcome): CrashPoint[] {
  const points = outcome.steps.flatMap(pointsOfStep);
  return outcome.cancel ? points : [...points, ...(Object.keys(otherPoints) as CrashPoint[])];
}
