import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import type { Logger } from "@smartcart/runtime";
import { createSubscriptions, createThrottle } from "@smartcart/runtime";
import type { SocketSender } from "./client.ts";
import { HubClient } from "./client.ts";
import type { ClientRequest, Target } from "./client-frames.ts";
import { parseClientFrame } from "./client-frames.ts";
import type { ClientIdentity } from "./client-identity.ts";
import type { OrderHistories } from "./order-history.ts";
import type { StatusFrame } from "./server-frames.ts";
import { errorFrame, statusFrame } from "./server-frames.ts";
import type { UserReplays } from "./user-replays.ts";
import { createUserReplays } from "./user-replays.ts";

/** What the hub works with. */
export interface HubOptions {
  readonly histories: OrderHistories;
  readonly log: Logger;
  readonly limits: {
    /** Most subscriptions of one client. */
    readonly subscriptions: number;
    /** Most clients that follow one user. */
    readonly clientsPerUser: number;
    /** Most readings that may wait for their turn before subscriptions are refused. */
    readonly waitingReads: number;
  };
  /** Pause after the first reading that failed, in milliseconds. */
  readonly retryPauseMs: number;
  readonly onResync: () => void;
  /** A live event was dropped, since no frame can hold it. */
  readonly onDropped: () => void;
}

/** Brings statuses to the clients that follow them. It knows nothing of sockets. */
export class Hub {
  readonly #o: HubOptions;
  readonly #clients = new Set<HubClient>();
  readonly #byOrder = createSubscriptions<HubClient>();
  readonly #byUser = createSubscriptions<HubClient>();
  readonly #replays: UserReplays;
  readonly #noteDropped: ReturnType<typeof createDropLog>;

  constructor(o: HubOptions) {
    this.#o = o;
    this.#replays = createUserReplays({
      ...o,
      isConnected: (client) => this.#clients.has(client),
    });
    this.#noteDropped = createDropLog(o);
  }

  /** How many orders and users have at least one subscriber. */
  get topics() {
    return { orders: this.#byOrder.size, users: this.#byUser.size };
  }

  /** Adds a client. */
  connect(sender: SocketSender, identity: ClientIdentity): HubClient {
    const { histories, log, onResync, retryPauseMs } = this.#o;
    const history = histories.for(identity);
    const client = new HubClient(sender, { identity, history, log, onResync, retryPauseMs });
    this.#clients.add(client);
    return client;
  }

  /** Removes a client and its subscriptions. */
  disconnect(client: HubClient): void {
    this.#clients.delete(client);
    for (const orderId of client.orders) this.#byOrder.leave(orderId, client);
    for (const userId of client.users.keys()) this.#byUser.leave(userId, client);
    client.stop();
  }

  /** Handles a frame of a client. A malformed one is answered, and the connection stays open. */
  receive(client: HubClient, text: string): void {
    const request = parseClientFrame(text);
    if ("problem" in request) {
      client.send(errorFrame("INVALID_FRAME", request.problem, request.field));
    } else if (request.kind === "subscribe") {
      this.#subscribe(client, request);
    } else {
      this.#unsubscribe(client, request);
    }
  }

  /** Live events, those of one order in their order. */
  publish(events: readonly OrderStatusChanged[]): void {
    for (const event of events) this.#publishOne(event);
  }

  /** Events may have been missed: every subscription is brought up to date from what is stored. */
  refillAll(): void {
    for (const client of this.#clients) {
      for (const orderId of client.followed) void client.refill(orderId);
      for (const userId of client.users.keys()) void this.#replays.start(client, userId);
    }
  }

  #subscribe(client: HubClient, { target, afterSequence }: ClientRequest): void {
    const refusal = this.#refusalOf(client, target);
    if (refusal) {
      client.send(refusal);
    } else if (target.kind === "user") {
      this.#makeRoom(client, target.userId);
      this.#byUser.join(target.userId, client);
      void this.#replays.start(client, target.userId);
    } else {
      client.orders.add(target.orderId);
      this.#byOrder.join(target.orderId, client);
      // Only what comes after this is known to be live; the reading brings everything before.
      void client.refill(target.orderId, { after: afterSequence });
    }
  }

  #refusalOf(client: HubClient, target: Target): Buffer | undefined {
    const { histories, limits } = this.#o;
    if (target.kind === "user" && !client.mayRead(target.userId)) {
      const message = "userId is not the subject of the access token";
      return errorFrame("ACCESS_DENIED", message, "subscribe.userId");
    }
    const isKnown =
      target.kind === "user" ? client.users.has(target.userId) : client.orders.has(target.orderId);
    if (!isKnown && client.orders.size + client.users.size >= limits.subscriptions) {
      const message = `one connection may have ${limits.subscriptions} subscriptions; unsubscribe from one first`;
      return errorFrame("TOO_MANY_SUBSCRIPTIONS", message);
    }
    if (histories.waiting < limits.waitingReads) return undefined;
    return errorFrame("UNAVAILABLE", "the hub is catching up; subscribe again in a few seconds");
  }

  /**
   * At the limit of connections per user, one loses its subscription: the oldest of the address that has most of them. To refuse the new
   * one instead would let a client that opens enough of them lock the user out.
   */
  #makeRoom(client: HubClient, userId: string): void {
    const followers = this.#byUser.members(userId);
    const { clientsPerUser } = this.#o.limits;
    if (followers.has(client) || followers.size < clientsPerUser) return;
    const ofAddress = Map.groupBy(followers, ({ address }) => address);
    const [most = []] = [...ofAddress.values()].sort((a, b) => b.length - a.length);
    const [oldest] = most;
    if (oldest === undefined) return;
    this.#unsubscribe(oldest, { target: { kind: "user", userId } });
    const message = `more than ${clientsPerUser} connections follow this user: this one, the oldest, follows the user no more`;
    oldest.send(errorFrame("TOO_MANY_SUBSCRIPTIONS", message, "subscribe.userId"));
  }

  #unsubscribe(client: HubClient, { target }: Pick<ClientRequest, "target">): void {
    if (target.kind === "order") {
      client.orders.delete(target.orderId);
      this.#byOrder.leave(target.orderId, client);
    } else {
      client.users.delete(target.userId);
      this.#byUser.leave(target.userId, client);
    }
    // The order may belong to a user whom the client still follows: only its next event says whose it is.
    if (client.users.size > 0) return;
    for (const orderId of client.followed) if (!client.orders.has(orderId)) client.forget(orderId);
  }

  #publishOne(event: OrderStatusChanged): void {
    const { orderId, userId } = event;
    const ofOrder = this.#byOrder.members(orderId);
    const ofUser = this.#byUser.members(userId);
    if (ofOrder.size === 0 && ofUser.size === 0) return;
    // Serialised once, however many get it.
    const frame = this.#frameOf(event);
    if (frame === undefined) return;
    for (const client of ofOrder) if (client.mayRead(userId)) client.live(orderId, frame);
    for (const client of ofUser) {
      if (!ofOrder.has(client)) client.live(orderId, frame);
    }
  }

  /** Undefined where JSON cannot hold the event, such as a time in the year 10000. */
  #frameOf(event: OrderStatusChanged): StatusFrame | undefined {
    try {
      return statusFrame(event);
    } catch (error) {
      this.#noteDropped(event, error);
      return undefined;
    }
  }
}

/** A flood of bad events must not become a flood of log lines, which travel over the same queue. */
const dropLogEveryMs = 1000;

/** Counts every event that is dropped, and logs one per second. */
function createDropLog({ log, onDropped }: HubOptions) {
  const throttle = createThrottle(dropLogEveryMs);
  return ({ orderId, sequence }: OrderStatusChanged, error: unknown): void => {
    onDropped();
    const dropped = throttle();
    if (dropped === 0) return;
    log.warn("status.event_dropped", { orderId, sequence, dropped, error });
  };
}
