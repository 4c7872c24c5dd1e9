import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import type { Logger } from "@smartcart/runtime";
import { createThrottle, delay } from "@smartcart/runtime";
import type { HubClient, SocketSender } from "./client.ts";
import { createHubClient } from "./client.ts";
import type { ClientRequest, Target } from "./client-frames.ts";
import { parseClientFrame } from "./client-frames.ts";
import type { OrderHistory } from "./order-history.ts";
import { maxFailures } from "./sequencer.ts";
import type { StatusFrame } from "./server-frames.ts";
import { errorFrame, resyncFrame, statusFrame } from "./server-frames.ts";
import { createSubscriptions } from "./subscriptions.ts";

/** What the hub works with. */
export interface HubOptions {
  readonly history: OrderHistory;
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
export interface Hub {
  /** A client has come. */
  connect(outlet: SocketSender): HubClient;
  /** It has gone. */
  disconnect(client: HubClient): void;
  /** It has sent a frame. */
  receive(client: HubClient, text: string): void;
  /** Live events, those of one order in their order. */
  publish(events: readonly OrderStatusChanged[]): void;
  /** Events may have been missed: every subscription is brought up to date from what is stored. */
  refillAll(): void;
  /** What clients follow, for the metrics. */
  readonly rooms: { readonly orders: number; readonly users: number };
}

/** A hub without clients. */
export function createHub(o: HubOptions): Hub {
  const clients = new Set<HubClient>();
  const byOrder = createSubscriptions<HubClient>();
  const byUser = createSubscriptions<HubClient>();
  const noteDropped = createDropLog(o);

  function subscribe(client: HubClient, { target, afterSequence }: ClientRequest): void {
    const refusal = refusalOf(client, target);
    if (refusal) {
      client.send(refusal);
    } else if (target.kind === "user") {
      byUser.join(target.userId, client);
      void replayUser(client, target.userId);
    } else {
      client.orders.add(target.orderId);
      byOrder.join(target.orderId, client);
      // Only what comes after this is known to be live; the reading brings everything before.
      void client.refill(target.orderId, { after: afterSequence });
    }
  }

  function refusalOf(client: HubClient, target: Target): Buffer | undefined {
    const isKnown =
      target.kind === "user" ? client.users.has(target.userId) : client.orders.has(target.orderId);
    if (!isKnown && client.orders.size + client.users.size >= o.limits.subscriptions) {
      const message = `one connection may have ${o.limits.subscriptions} subscriptions; unsubscribe from one first`;
      return errorFrame("TOO_MANY_SUBSCRIPTIONS", message);
    }
    const { clientsPerUser } = o.limits;
    if (
      !isKnown &&
      target.kind === "user" &&
      byUser.members(target.userId).size >= clientsPerUser
    ) {
      const message = `${clientsPerUser} connections follow this user already; close one first`;
      return errorFrame("TOO_MANY_SUBSCRIPTIONS", message, "subscribe.userId");
    }
    if (o.history.waiting < o.limits.waitingReads) return undefined;
    return errorFrame("UNAVAILABLE", "the hub is catching up; subscribe again in a few seconds");
  }

  function unsubscribe(client: HubClient, { target }: ClientRequest): void {
    if (target.kind === "order") {
      client.orders.delete(target.orderId);
      byOrder.leave(target.orderId, client);
    } else {
      client.users.delete(target.userId);
      byUser.leave(target.userId, client);
    }
    // An order may be one of a user who is still followed; which one, only its next event tells.
    if (client.users.size > 0) return;
    for (const orderId of client.followed) if (!client.orders.has(orderId)) client.forget(orderId);
  }

  /** Brings a user's newest orders up to date, the oldest first. A later replay of the same user takes over. */
  async function replayUser(client: HubClient, userId: string): Promise<void> {
    const mine = {};
    client.users.set(userId, mine);
    for (let failures = 1; failures <= maxFailures; failures++) {
      try {
        const orders = await o.history.newestOrders(userId, isWanted);
        if (!isWanted()) return;
        let turn = Promise.resolve();
        for (const { orderId, lastSequence } of orders) {
          if (client.last(orderId) < lastSequence) turn = client.refill(orderId, { turn });
        }
        return;
      } catch (error) {
        o.log.warn("status.replay_failed", { userId, failures, error });
      }
      await delay(o.retryPauseMs * 2 ** (failures - 1));
      if (!isWanted()) return;
    }
    o.onResync();
    client.send(
      resyncFrame(
        "",
        0,
        `the orders of user ${userId} cannot be read just now; read them by REST and subscribe again`,
      ),
    );

    function isWanted(): boolean {
      return clients.has(client) && client.users.get(userId) === mine;
    }
  }

  function publishOne(event: OrderStatusChanged): void {
    const { orderId, userId } = event;
    const ofOrder = byOrder.members(orderId);
    const ofUser = byUser.members(userId);
    if (ofOrder.size === 0 && ofUser.size === 0) return;
    // Serialised once, however many get it.
    const frame = frameOf(event);
    if (frame === undefined) return;
    for (const client of ofOrder) client.live(orderId, frame);
    for (const client of ofUser) {
      if (!ofOrder.has(client)) client.live(orderId, frame);
    }
  }

  /** Protobuf in binary says what JSON cannot, such as a time in the year 10000. */
  function frameOf(event: OrderStatusChanged): StatusFrame | undefined {
    try {
      return statusFrame(event);
    } catch (error) {
      noteDropped(event, error);
      return undefined;
    }
  }

  return {
    connect(outlet) {
      const { history, log, onResync, retryPauseMs } = o;
      const client = createHubClient(outlet, { history, log, onResync, retryPauseMs });
      clients.add(client);
      return client;
    },
    disconnect(client) {
      clients.delete(client);
      for (const orderId of client.orders) byOrder.leave(orderId, client);
      for (const userId of client.users.keys()) byUser.leave(userId, client);
      client.stop();
    },
    receive(client, text) {
      const request = parseClientFrame(text);
      if ("problem" in request) {
        client.send(errorFrame("INVALID_FRAME", request.problem, request.field));
      } else if (request.kind === "subscribe") {
        subscribe(client, request);
      } else {
        unsubscribe(client, request);
      }
    },
    publish(events) {
      for (const event of events) publishOne(event);
    },
    refillAll() {
      for (const client of clients) {
        for (const orderId of client.followed) void client.refill(orderId);
        for (const userId of client.users.keys()) void replayUser(client, userId);
      }
    },
    get rooms() {
      return { orders: byOrder.size, users: byUser.size };
    },
  };
}

/** A flood of bad events must not become a flood of log lines, which travel over the same queue. */
const DROP_LOG_EVERY_MS = 1000;

/** Counts every event that is dropped, and logs one a second. */
function createDropLog({ log, onDropped }: HubOptions) {
  const throttle = createThrottle(DROP_LOG_EVERY_MS);
  return ({ orderId, sequence }: OrderStatusChanged, error: unknown): void => {
    onDropped();
    const dropped = throttle();
    if (dropped === 0) return;
    log.warn("status.event_dropped", { orderId, sequence, dropped, error });
  };
}
