import type { ClientIdentity } from "./client-identity.ts";
import type { OrderHistory } from "./order-history.ts";
import type { OrderSubscription, OrderSubscriptionOptions } from "./order-subscription.ts";
import { createOrderSubscription } from "./order-subscription.ts";
import type { StatusFrame } from "./server-frames.ts";

/** A connection as the hub sees it. */
export interface SocketSender {
  /** Sends a WebSocket frame; nothing once the connection is closing. */
  send(frame: Buffer): void;
}

/**
 * Orders that a client follows through their user. Beyond that the oldest is forgotten; should it ever change again, its
 * history is sent anew, and the client drops what it has.
 */
const maxFollowed = 1000;

interface ClientOptions extends Omit<OrderSubscriptionOptions, "orderId" | "send"> {
  readonly identity: ClientIdentity;
}

/** One connected client: what it follows, and how far it has been brought with each order. */
export class HubClient implements SocketSender {
  /** Orders it subscribed to. */
  readonly orders = new Set<string>();
  /** Users it subscribed to, each with a mark of the replay under way or done last. */
  readonly users = new Map<string, object>();
  readonly #sender: SocketSender;
  readonly #o: ClientOptions;
  // At rest, which is the usual case, only the last sequence is kept: a client may follow a thousand orders, and
  // ten thousand clients may be connected.
  readonly #followed = new Map<string, number | OrderSubscription>();

  constructor(sender: SocketSender, o: ClientOptions) {
    this.#sender = sender;
    this.#o = o;
  }

  /** The histories that it may read. */
  get history(): OrderHistory {
    return this.#o.history;
  }

  /** Where it comes from, as its connections are counted. */
  get address(): string {
    return this.#o.identity.address;
  }

  /** Whether it may see what belongs to a customer. */
  mayRead(userId: string): boolean {
    const { principal } = this.#o.identity;
    return principal.kind !== "customer" || principal.subject === userId;
  }

  /** All orders it is being brought, those of its users included. */
  get followed(): Iterable<string> {
    return this.#followed.keys();
  }

  send(frame: Buffer): void {
    this.#sender.send(frame);
  }

  /** A live event of an order came. */
  live(orderId: string, frame: StatusFrame): void {
    const known = this.#followed.get(orderId) ?? 0;
    if (typeof known === "number" && frame.sequence <= known) return;
    // What a sequencer at rest would do with the usual case by far.
    if (known === frame.sequence - 1) {
      this.#remember(orderId, frame.sequence);
      this.#sender.send(frame.data);
      return;
    }
    const subscription = this.#subscriptionOf(orderId);
    subscription.live(frame);
    this.#settle(orderId, subscription);
  }

  /** Reads an order's history: see `OrderSubscription.refill`. */
  async refill(
    orderId: string,
    reading?: Parameters<OrderSubscription["refill"]>[0],
  ): Promise<void> {
    const subscription = this.#subscriptionOf(orderId, reading?.after);
    await subscription.refill(reading);
    this.#settle(orderId, subscription);
  }

  /** The last sequence of an order that was sent. */
  last(orderId: string): number {
    const known = this.#followed.get(orderId) ?? 0;
    return typeof known === "number" ? known : known.last;
  }

  /** Stops following an order. */
  forget(orderId: string): void {
    const known = this.#followed.get(orderId);
    if (typeof known === "object") known.stop();
    this.#followed.delete(orderId);
  }

  /** Stops following everything. */
  stop(): void {
    for (const known of this.#followed.values()) if (typeof known === "object") known.stop();
    this.#followed.clear();
  }

  #remember(orderId: string, state: number | OrderSubscription): void {
    if (!this.#followed.has(orderId) && this.#followed.size >= maxFollowed) this.#forgetOldest();
    this.#followed.set(orderId, state);
  }

  #forgetOldest(): void {
    for (const orderId of this.#followed.keys()) {
      if (this.orders.has(orderId)) continue;
      this.forget(orderId);
      return;
    }
  }

  /** The subscription of an order; created at rest after `after` where there is none and nothing was sent. */
  #subscriptionOf(orderId: string, after = 0): OrderSubscription {
    const known = this.#followed.get(orderId) ?? after;
    if (typeof known === "object") return known;
    const subscription = createOrderSubscription(known, {
      ...this.#o,
      orderId,
      send: (data) => this.#sender.send(data),
    });
    this.#remember(orderId, subscription);
    return subscription;
  }

  #settle(orderId: string, subscription: OrderSubscription): void {
    if (!subscription.resting || this.#followed.get(orderId) !== subscription) return;
    this.#followed.set(orderId, subscription.last);
  }
}
