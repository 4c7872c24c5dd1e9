import type { Follower, FollowerOptions } from "./follower.ts";
import { createFollower } from "./follower.ts";

/** A connection as the hub sees it. */
export interface Outlet {
  /** Sends a text frame; nothing once the connection is closing. */
  send(data: Buffer): void;
}

/** One connected client: what it follows, and how far it has been brought with each order. */
export interface HubClient extends Outlet {
  /** Orders it subscribed to. */
  readonly orders: Set<string>;
  /** Users it subscribed to, each with a mark of the replay under way or done last. */
  readonly users: Map<string, object>;
  /** The follower of an order; created at rest after `after` (default 0) where there is none. */
  follower(orderId: string, after?: number): Follower;
  /** All orders it is being brought, those of its users included. */
  readonly followed: Iterable<readonly [orderId: string, follower: Follower]>;
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
  outlet: Outlet,
  o: Omit<FollowerOptions, "orderId" | "send">,
): HubClient {
  const followers = new Map<string, Follower>();
  const orders = new Set<string>();

  function forget(orderId: string): void {
    followers.get(orderId)?.stop();
    followers.delete(orderId);
  }

  function forgetOldest(): void {
    for (const orderId of followers.keys()) {
      if (orders.has(orderId)) continue;
      forget(orderId);
      return;
    }
  }

  return {
    send: (data) => outlet.send(data),
    orders,
    users: new Map(),
    follower(orderId, after = 0) {
      const known = followers.get(orderId);
      if (known) return known;
      if (followers.size >= MAX_FOLLOWED) forgetOldest();
      const follower = createFollower(after, { ...o, orderId, send: (data) => outlet.send(data) });
      followers.set(orderId, follower);
      return follower;
    },
    followed: followers,
    forget,
    stop() {
      for (const follower of followers.values()) follower.stop();
      followers.clear();
    },
  };
}
