import type { OrderSubscription, OrderSubscriptionOptions } from "./order-subscription.ts";
import { createOrderSubscription } from "./order-subscription.ts";
import type { StatusFrame } from "./server-frames.ts";

/** A connection as the hub sees it. */
export interface SocketSender {
  /** Sends a WebSocket frame; nothing once the connection is closing. */
  send(frame: Buffer): void;
}

/** One connected client: what it follows, and how far it has been brought with each order. */
export interface HubClient extends SocketSender {
  /** Orders it subscribed to. */
  readonly orders: Set<string>;
  /** Users it subscribed to, each with a mark of the replay under way or done last. */
  readonly users: Map<string, object>;
  /** A live event of an order came. */
  live(orderId: string, frame: StatusFrame): void;
  /** Reads an order's history: see `OrderSubscription.refill`. */
  refill(orderId: string, o?: Parameters<OrderSubscription["refill"]>[0]): Promise<void>;
  /** The last sequence of an order that was sent. */
  last(orderId: string): number;
  /** All orders it is being brought, those of its users included. */
  readonly followed: Iterable<string>;
  /** Stops following an order. */
  forget(orderId: string): void;
  /** Stops following everything. */
  stop(): void;
}

/**
 * Orders that a client follows through their user. Beyond that the oldest is forgotten; should it ever change again, its
 * history is sent anew, and the client drops what it has.
 */
const MAX_FOLLOWED = 1000;

/** A client that follows nothing yet. */
export function createHubClient(
  outlet: SocketSender,
  o: Omit<OrderSubscriptionOptions, "orderId" | "send">,
): HubClient {
  // Nearly always nothing is under way, and then the last sequence says it all: a client may follow a thousand orders, and
  // ten thousand clients may be connected.
  const followed = new Map<string, number | OrderSubscription>();
  const orders = new Set<string>();

  function forget(orderId: string): void {
    const known = followed.get(orderId);
    if (typeof known === "object") known.stop();
    followed.delete(orderId);
  }

  function remember(orderId: string, state: number | OrderSubscription): void {
    if (!followed.has(orderId) && followed.size >= MAX_FOLLOWED) forgetOldest();
    followed.set(orderId, state);
  }

  function forgetOldest(): void {
    for (const orderId of followed.keys()) {
      if (orders.has(orderId)) continue;
      forget(orderId);
      return;
    }
  }

  /** The follower of an order; created at rest after `after` where there is none and nothing was sent. */
  function followerOf(orderId: string, after = 0): OrderSubscription {
    const known = followed.get(orderId) ?? after;
    if (typeof known === "object") return known;
    const follower = createOrderSubscription(known, {
      ...o,
      orderId,
      send: (data) => outlet.send(data),
    });
    remember(orderId, follower);
    return follower;
  }

  function settle(orderId: string, follower: OrderSubscription): void {
    if (follower.resting && followed.get(orderId) === follower)
      followed.set(orderId, follower.last);
  }

  return {
    send: (data) => outlet.send(data),
    orders,
    users: new Map(),
    live(orderId, frame) {
      const known = followed.get(orderId) ?? 0;
      if (typeof known === "number" && frame.sequence <= known) return;
      // What a sequencer at rest would do with the usual case by far.
      if (known === frame.sequence - 1) {
        remember(orderId, frame.sequence);
        outlet.send(frame.data);
        return;
      }
      const follower = followerOf(orderId);
      follower.live(frame);
      settle(orderId, follower);
    },
    async refill(orderId, reading) {
      const follower = followerOf(orderId, reading?.after);
      await follower.refill(reading);
      settle(orderId, follower);
    },
    last(orderId) {
      const known = followed.get(orderId) ?? 0;
      return typeof known === "number" ? known : known.last;
    },
    get followed() {
      return followed.keys();
    },
    forget,
    stop() {
      for (const known of followed.values()) if (typeof known === "object") known.stop();
      followed.clear();
    },
  };
}
