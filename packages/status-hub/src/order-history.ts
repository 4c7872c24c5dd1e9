import type { CallOptions, Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { createSemaphore } from "@smartcart/runtime";
import type { ClientIdentity } from "./client-identity.ts";
import type { StatusFrame } from "./server-frames.ts";
import { statusFrame } from "./server-frames.ts";

/** An order of a user, as far as the hub needs it. */
export interface KnownOrder {
  readonly orderId: string;
  readonly lastSequence: number;
}

/** Reads what the order service has stored, as one client may see it. */
export interface OrderHistory {
  /**
   * The history of an order after a sequence, oldest first. It is read after the call, never before: who has been told of an
   * event before calling finds it.
   *
   * @param isWanted asked when it is the reading's turn; where it answers false, nothing is read and the answer is empty
   * @throws ConnectError NOT_FOUND where there is no such order
   */
  list(
    orderId: string,
    afterSequence: number,
    isWanted: () => boolean,
  ): Promise<readonly StatusFrame[]>;
  /** The newest orders of a user, the oldest of them first; none where `isWanted` answers false. */
  newestOrders(userId: string, isWanted: () => boolean): Promise<readonly KnownOrder[]>;
}

/** The histories of all clients. */
export interface OrderHistories {
  /** Reads with the client's token: what belongs to another customer is NOT_FOUND. */
  for(identity: ClientIdentity): OrderHistory;
  /** Readings that wait for their turn. */
  readonly waiting: number;
}

/** Orders of a user whose history is replayed. */
const newest = 20;
/** Longest time of one reading, its wait for a turn not counted. */
const timeoutMs = 2000;

/** A reading that has not begun. */
interface QueuedReading {
  readonly reading: Promise<readonly StatusFrame[]>;
  readonly wantedBy: (() => boolean)[];
}

/** Histories that ask the order service no more than `maxConcurrent` things at once. */
export function createOrderHistories(
  orders: Pick<Client<typeof OrderService>, "listOrderEvents" | "listOrders">,
  maxConcurrent: number,
): OrderHistories {
  const semaphore = createSemaphore({ maxConcurrent });
  // Readings that have not begun, by what they read: a crowd that waits for the same order shares one. One that has begun
  // is never shared, since it may be too old for a new subscriber.
  const queued = new Map<string, QueuedReading>();

  const historyFor = ({ principal, authorization }: ClientIdentity): OrderHistory => ({
    list(orderId, afterSequence, isWanted) {
      const whose = principal.kind === "customer" ? principal.subject : principal.kind;
      const key = `${afterSequence} ${orderId} ${whose}`;
      const shared = queued.get(key);
      if (shared) {
        shared.wantedBy.push(isWanted);
        return shared.reading;
      }
      const wantedBy = [isWanted];
      const reading = semaphore.run(async () => {
        queued.delete(key);
        if (!wantedBy.some((isStillWanted) => isStillWanted())) return [];
        const request = { orderId, afterSequence };
        const { events } = await orders.listOrderEvents(request, callOptions(authorization));
        return events.map(statusFrame);
      });
      queued.set(key, { reading, wantedBy });
      return reading;
    },
    newestOrders(userId, isWanted) {
      const request = { userId, pageSize: newest };
      return semaphore.run(async () => {
        if (!isWanted()) return [];
        const answer = await orders.listOrders(request, callOptions(authorization));
        return answer.orders
          .map(({ orderId, lastSequence }) => ({ orderId, lastSequence }))
          .reverse();
      });
    },
  });
  return {
    for: historyFor,
    get waiting() {
      return semaphore.waiting;
    },
  };
}

function callOptions(authorization: string | undefined): CallOptions {
  return { timeoutMs: timeoutMs, ...(authorization && { headers: { authorization } }) };
}

/** Whether a reading failed because there is no such order. */
export function isUnknownOrder(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.NotFound;
}
