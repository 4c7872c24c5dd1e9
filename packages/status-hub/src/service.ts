/** Builds the status hub from its dependencies. */
import type { IncomingMessage } from "node:http";
import type { EventBus, RunningConsumer } from "@smartcart/bus";
import type {
  OrderStatusChanged,
  OrderStatusesChanged,
} from "@smartcart/gen/events/v1/order_events_pb";
import {
  OrderStatusChangedSchema,
  OrderStatusesChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { Logger } from "@smartcart/runtime";
import { loopbackProxies } from "@smartcart/runtime";
import type { PeerAddress, RunningService, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
import { createAdmission } from "./admission.ts";
import type { StatusHubConfig } from "./config.ts";
import { Hub } from "./hub.ts";
import type { HubMetrics } from "./hub-metrics.ts";
import { createHubMetrics } from "./hub-metrics.ts";
import { createOrderHistories } from "./order-history.ts";
import type { SocketServerOptions } from "./socket-server.ts";
import { startSocketServer } from "./socket-server.ts";

/** What the status hub is built from. */
export interface StatusHubOptions extends Omit<ServiceOptions<StatusHubConfig>, "databaseUrl"> {
  /** Where histories are read. */
  readonly peers: { readonly order: PeerAddress };
}

/** Readings of the order service at once: enough to keep it busy, few enough to leave it to its orders. */
const maxConcurrentReads = 32;
const maxWaitingReads = 50_000;
const retryPauseMs = 200;

/**
 * Listens for statuses and serves /ws. It keeps nothing: what a client needs after any loss is read from the order service,
 * so any number of hubs may run, and each hears every status.
 */
export function startStatusHub(o: StatusHubOptions): Promise<RunningService> {
  const { config, log } = o;
  const definition = { name: "status-hub", portVariable: "STATUS_PORT", ...o } as const;
  return startService(definition, async (context) => {
    const { access, rateLimits, metrics, stack, connect, observeBus } = context;
    const measured = createHubMetrics(metrics);
    const hub = new Hub({
      histories: createOrderHistories(connect(OrderService, o.peers.order), maxConcurrentReads),
      log,
      retryPauseMs: retryPauseMs,
      onResync: measured.resynced,
      onDropped: measured.dropped,
      limits: {
        subscriptions: config.STATUS_MAX_SUBSCRIPTIONS,
        clientsPerUser: config.STATUS_MAX_CONNECTIONS_PER_USER,
        waitingReads: maxWaitingReads,
      },
    });
    // Before the first client: what its first read of the history does not show arrives live.
    const subscribers = stack.use(await hearStatuses(observeBus(o.bus), { hub, measured, log }));
    const { sockets, admission } = acceptSockets(o, {
      hub,
      access,
      rateLimits,
      onSlow: measured.slow,
    });
    measured.observe({ hub, admission });
    return {
      // An upgrade is HTTP/1.1 only, so its request is of node:http.
      onUpgrade: (request, socket, head) =>
        sockets.upgrade(request as IncomingMessage, socket, head),
      // The server would wait for sockets, which never end by themselves.
      disposeFirst: sockets,
      gauges: async () => ({ sockets: admission.connections }),
      checks: {
        async statuses() {
          if (!subscribers.ready()) throw new Error("the subscription to statuses is not attached");
        },
      },
    };
  });
}

/** The WebSockets and their access rules. */
function acceptSockets(
  { config, log }: StatusHubOptions,
  o: Pick<SocketServerOptions, "hub" | "access" | "rateLimits" | "onSlow">,
) {
  const admission = createAdmission({
    allowedOrigins: listOf(config.STATUS_ALLOWED_ORIGINS),
    allowedHosts: config.ALLOWED_HOSTS ?? [],
    trustedProxies: config.TRUSTED_PROXIES ?? loopbackProxies,
    maxConnections: config.STATUS_MAX_CONNECTIONS,
    maxPerAddress: config.STATUS_MAX_CONNECTIONS_PER_ADDRESS,
  });
  const sockets = startSocketServer({
    ...o,
    admission,
    log,
    heartbeatMs: config.STATUS_HEARTBEAT_MS,
    maxBufferedBytes: config.STATUS_MAX_BUFFERED_BYTES,
    frameBurst: 2 * config.STATUS_MAX_SUBSCRIPTIONS + 20,
  });
  return { sockets, admission };
}

/** Hears statuses in the bundles of the order service, and one by one from publishers of another make. */
async function hearStatuses(
  bus: EventBus,
  { hub, measured, log }: { hub: Hub; measured: HubMetrics; log: Logger },
): Promise<RunningConsumer> {
  await using starting = new AsyncDisposableStack();
  const subscribers: RunningConsumer[] = [];
  const ready = () => subscribers.every((subscriber) => subscriber.ready());
  const publish = (events: readonly OrderStatusChanged[]) => {
    hub.publish(events);
    measured.published(events);
  };
  const shared = {
    name: "status-hub",
    log,
    onGap() {
      // A lost connection is a gap in both: the one that is attached last has everything read, once.
      if (!ready()) return;
      log.warn("status.gap", {
        message: "the queue was unavailable; all subscriptions are read again",
      });
      hub.refillAll();
    },
  };
  const onBundles = (bundles: readonly OrderStatusesChanged[]) =>
    publish(bundles.flatMap(({ changes }) => changes));
  subscribers.push(
    starting.use(
      await bus.subscribe(OrderStatusesChangedSchema, { ...shared, onEvents: onBundles }),
    ),
    starting.use(await bus.subscribe(OrderStatusChangedSchema, { ...shared, onEvents: publish })),
  );
  const running = starting.move();
  return { ready, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function listOf(text: string): string[] {
  return text.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
}
