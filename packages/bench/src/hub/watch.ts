/** Compares the statuses that the sockets of one process receive with the expected ones. Pure. */
import { milestones, orderOf, replayed } from "./order-book.ts";

/** A status as it arrives. */
export interface Arrival {
  readonly orderId: string;
  readonly sequence: number;
  readonly occurredAt: string;
}

/** Counts of wrong statuses. */
export interface Faults {
  /** Statuses of an order of another user. */
  misdelivered: number;
  /** Statuses that left one out, came before their time, or came twice. */
  disordered: number;
}

/** Watches the statuses that come to sockets, of which each follows the user of its number. */
interface Watch {
  /** Records a status on the socket of that user; returns whether it was expected. */
  take(user: number, arrival: Arrival): boolean;
  /** The user has a new socket, on which each order starts with its first status. */
  restart(user: number): void;
  /** Right ones so far, on all sockets that there were. */
  readonly statuses: number;
  readonly faults: Readonly<Faults>;
  /** Right ones on the user's newest socket. */
  statusesOf(user: number): number;
}

/** @param users how many there are in all, those of other processes included */
export function createWatch(users: number): Watch {
  const ofUsers = new Map<number, { readonly sequences: Map<number, number>; statuses: number }>();
  const faults = { misdelivered: 0, disordered: 0 };
  let statuses = 0;

  function restart(user: number) {
    const fresh = { sequences: new Map<number, number>(), statuses: 0 };
    ofUsers.set(user, fresh);
    return fresh;
  }

  return {
    take(user, { orderId, sequence }) {
      const order = orderOf(orderId);
      if (order % users !== user) {
        faults.misdelivered += 1;
        return false;
      }
      const ofUser = ofUsers.get(user) ?? restart(user);
      if (sequence !== (ofUser.sequences.get(order) ?? 0) + 1) {
        faults.disordered += 1;
        return false;
      }
      ofUser.sequences.set(order, sequence);
      ofUser.statuses += 1;
      statuses += 1;
      return true;
    },
    restart: (user) => void restart(user),
    get statuses() {
      return statuses;
    },
    faults,
    statusesOf: (user) => ofUsers.get(user)?.statuses ?? 0,
  };
}

/** Statuses that a user's subscription brings where so many orders exist, all of them shipped. */
export function historyLength(user: number, users: number, orders: number): number {
  const ofUser = Math.floor((orders - 1 - user) / users) + 1;
  return Math.min(replayed, ofUser) * milestones.length;
}
