/**
 * The orders of the benchmark, which all its processes know by their numbers: order 0 is the first one of user 0, order 1 of
 * user 1, and after the last user comes the first again.
 */
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";

/** The life of an order, in the order of its sequences. */
export const milestones = [
  { milestone: OrderMilestone.RECEIVED, status: "Order Received" },
  { milestone: OrderMilestone.STOCK_RESERVED, status: "Stock Reserved" },
  { milestone: OrderMilestone.PAYMENT_CONFIRMED, status: "Payment Confirmed" },
  { milestone: OrderMilestone.CONFIRMED, status: "Order Confirmed" },
  { milestone: OrderMilestone.SHIPPING_STARTED, status: "Shipping Started" },
  { milestone: OrderMilestone.SHIPPED, status: "Shipped" },
] as const;

/** The exchange from which the other hub is fed. */
export const statusExchange = "statuses";

/** Orders of a user whose history the hub brings on a subscription; see its README. */
export const replayed = 20;

const orderDigits = 26;

export function orderIdOf(order: number): string {
  return `ORD-${String(order).padStart(orderDigits, "0")}`;
}

/** NaN where it is no order of the benchmark. */
export function orderOf(orderId: string): number {
  return orderId.length === orderDigits + 4 ? Number(orderId.slice(4)) : Number.NaN;
}

export function userIdOf(user: number): string {
  return `user-${user}`;
}

export function userOf(userId: string): number {
  return Number(userId.slice("user-".length));
}

/** A status that has become true. */
export interface Step {
  readonly order: number;
  /** From 1. */
  readonly sequence: number;
}

/** What has become true so far. */
interface OrderBook {
  readonly orders: number;
  /** The sequence of an order's newest status; 0: there is no such order. */
  lastSequence(order: number): number;
  /** The numbers of a user's newest orders, the newest first. */
  newestOf(user: number, most: number): number[];
  /** Takes an order one step further, a new one for the next number. */
  advance(order: number): Step;
}

/** A book in which every one of `users` has an order that is shipped. */
export function createOrderBook(users: number): OrderBook {
  const sequences: number[] = Array(users).fill(milestones.length);
  return {
    get orders() {
      return sequences.length;
    },
    lastSequence: (order) => sequences[order] ?? 0,
    newestOf(user, most) {
      if (!(user >= 0 && user < users)) return [];
      const newest = user + Math.floor((sequences.length - 1 - user) / users) * users;
      const count = Math.min(most, 1 + Math.floor(newest / users));
      return Array.from({ length: count }, (_, index) => newest - index * users);
    },
    advance(order) {
      const sequence = (sequences[order] ?? 0) + 1;
      sequences[order] = sequence;
      return { order, sequence };
    },
  };
}

/** When each status of the orders of a run is due. */
interface Schedule {
  /** Orders per second. */
  readonly rate: number;
  readonly seconds: number;
  /** Time between two statuses of one order. */
  readonly gapMs: number;
}

/** Answers, for each elapsed time that it is asked for, what has become due since: orders by number from 0. */
export function createSchedule({ rate, seconds, gapMs }: Schedule) {
  const total = rate * seconds;
  const next: number[] = Array(milestones.length).fill(0);
  return {
    /** By order of the sequence, so that those of one order are in order however late it is. */
    due(elapsedMs: number): number[] {
      const orders: number[] = [];
      for (const [step, from] of next.entries()) {
        const begun = Math.floor(((elapsedMs - step * gapMs) / 1_000) * rate);
        const to = Math.max(from, Math.min(total, begun));
        for (let order = from; order < to; order += 1) orders.push(order);
        next[step] = to;
      }
      return orders;
    },
    isOver: () => next.every((order) => order === total),
  };
}
