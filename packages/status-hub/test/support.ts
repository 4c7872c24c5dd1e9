import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { WebSocket } from "ws";
import type { EventBus } from "@smartcart/bus";
import { createEvent, openBus } from "@smartcart/bus";
import type { OrderStatusChanged } from "@smartcart/gen/events/v1/order_events_pb";
import {
  OrderStatusChangedSchema,
  OrderStatusesChangedSchema,
} from "@smartcart/gen/events/v1/order_events_pb";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { OrderEventSchema, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { accessFrom } from "@smartcart/identity";
import { startServer } from "@smartcart/mesh";
import { createMetrics, parseConfig, silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import { createTestBroker, createTestDatabase } from "@smartcart/testkit";
import { startStatusHub, statusHubConfig } from "../src/index.ts";

export const engines = ["postgres", "rabbitmq"] as const;
export const patience = { timeout: 15_000 };

/** A queue, an order service with histories in memory, and hubs. */
export interface TestWorld extends AsyncDisposable {
  readonly bus: EventBus;
  readonly orders: TestOrders;
  /** The broker, where there is one. */
  readonly amqpUrl: string | undefined;
  /** @param o.bus its way to the queue; default: the one of the world */
  startHub(env?: Record<string, string>, o?: { bus?: EventBus }): Promise<RunningService>;
  /** Takes an order further by so many steps, in storage and in what is announced. */
  advance(orderId: string, userId?: string, steps?: number): Promise<void>;
  /** All in one message, as the order service does. */
  announce(...events: readonly OrderStatusChanged[]): Promise<void>;
}

/** The order service as the hub sees it. */
export interface TestOrders {
  /** Stores the next entry without publishing it. */
  commit(orderId: string, userId?: string, service?: string): OrderStatusChanged;
  /** Undefined: it answers. */
  failure: Error | undefined;
  /** How often a history was read. */
  readonly reads: number;
}

/** @param env settings of the order service and of the hubs, beside those of `startHub` */
export async function createWorld(
  engine: (typeof engines)[number] = "postgres",
  env: Record<string, string> = {},
): Promise<TestWorld> {
  await using starting = new AsyncDisposableStack();
  const { url: databaseUrl } = starting.use(await createTestDatabase());
  const amqpUrl =
    engine === "rabbitmq" ? starting.use(await createTestBroker()).amqpUrl : undefined;
  const log = silentLogger;
  const bus = starting.use(await openBus({ amqpUrl, databaseUrl, name: "test", log }));
  const orders = createOrders();
  const server = starting.use(
    await startServer({
      name: "order",
      port: 0,
      portVariable: "ORDER_PORT",
      host: "127.0.0.1",
      services: [OrderService],
      routes: orders.routes,
      ...accessFrom(parseConfig(env, statusHubConfig)),
      owners: { order_id: { ownerOf: async (id) => orders.ownerOf(id), notFound: noSuchOrder } },
      log,
      metrics: createMetrics("order"),
    }),
  );
  const running = starting.move();

  async function announce(...events: readonly OrderStatusChanged[]): Promise<void> {
    const bundle = create(OrderStatusesChangedSchema, { changes: [...events] });
    const event = createEvent(OrderStatusesChangedSchema, bundle, { id: randomUUID() });
    expect((await bus.publish([event])).confirmed).toHaveLength(1);
  }

  return {
    bus,
    amqpUrl,
    orders,
    announce,
    startHub(own = {}, o = {}) {
      const config = parseConfig({ STATUS_PORT: "0", ...env, ...own }, statusHubConfig);
      return startStatusHub({ config, bus, ...o, peers: { order: { baseUrl: server.url } }, log });
    },
    async advance(orderId, userId = "u1", steps = 1) {
      const events = Array.from({ length: steps }, () => orders.commit(orderId, userId));
      await announce(...events);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const noSuchOrder = () => new ConnectError("there is no such order", Code.NotFound);

function createOrders() {
  const histories = new Map<string, OrderStatusChanged[]>();
  let failure: Error | undefined;
  let reads = 0;
  const routes: Parameters<typeof startServer>[0]["routes"] = (router) =>
    router.service(OrderService, {
      listOrderEvents({ orderId, afterSequence }) {
        reads += 1;
        if (failure) throw failure;
        const history = histories.get(orderId);
        if (!history) throw noSuchOrder();
        const events = history
          .slice(afterSequence)
          .map(({ $typeName: _, userId: __, ...entry }) => create(OrderEventSchema, entry));
        return { events };
      },
      listOrders({ userId, pageSize }) {
        if (failure) throw failure;
        const mine = [...histories].filter(([, [first]]) => first?.userId === userId);
        const newest = mine.reverse().slice(0, pageSize);
        const orders = newest.map(([orderId, { length }]) =>
          create(OrderSchema, { orderId, lastSequence: length }),
        );
        return { orders };
      },
    });
  return {
    routes,
    ownerOf: (orderId: string) => histories.get(orderId)?.[0]?.userId,
    commit(orderId: string, userId = "u1", service = "order"): OrderStatusChanged {
      const history = histories.get(orderId) ?? [];
      histories.set(orderId, history);
      const event = create(OrderStatusChangedSchema, {
        orderId,
        userId,
        sequence: history.length + 1,
        milestone: milestones[history.length % milestones.length] ?? OrderMilestone.SHIPPED,
        occurredAt: timestampFromDate(new Date()),
        service,
      });
      history.push(event);
      return event;
    },
    get failure() {
      return failure;
    },
    set failure(error: Error | undefined) {
      failure = error;
    },
    get reads() {
      return reads;
    },
  };
}

const milestones = [
  OrderMilestone.RECEIVED,
  OrderMilestone.STOCK_RESERVED,
  OrderMilestone.PAYMENT_CONFIRMED,
  OrderMilestone.CONFIRMED,
  OrderMilestone.SHIPPING_STARTED,
  OrderMilestone.SHIPPED,
];

/** What a shipped order's history reads like. */
export const wholeLife = [
  "1 Order Received",
  "2 Stock Reserved",
  "3 Payment Confirmed",
  "4 Order Confirmed",
  "5 Shipping Started",
  "6 Shipped",
];

/** A WebSocket client of another make than the hub's own code, and all that it was sent. */
export interface TestClient extends Disposable {
  readonly socket: WebSocket;
  readonly frames: readonly ReceivedFrame[];
  /** "1 Order Received" of each status of that order, in the order of arriving. */
  statuses(orderId: string): string[];
  send(frame: object): void;
  /** Code and reason of the close. */
  readonly closed: Promise<{ code: number; reason: string }>;
}

export interface ReceivedFrame {
  readonly orderId?: string;
  readonly status?: string;
  readonly sequence?: number;
  readonly error?: { code: string; message: string; field?: string; retryAfterMs?: number };
  readonly resync?: { orderId?: string; lastSequence?: number; reason: string };
}

export async function connect(
  hub: { readonly url: string },
  options: ConstructorParameters<typeof WebSocket>[2] = {},
): Promise<TestClient> {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, options);
  const frames: ReceivedFrame[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(data.toString())));
  const { promise: closed, resolve: onClose } = Promise.withResolvers<{
    code: number;
    reason: string;
  }>();
  socket.on("close", (code, reason) => onClose({ code, reason: reason.toString() }));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.on("error", () => {});
  return {
    socket,
    frames,
    statuses: (orderId) =>
      frames.flatMap((one) => (one.orderId === orderId ? [`${one.sequence} ${one.status}`] : [])),
    send: (frame) => socket.send(JSON.stringify(frame)),
    closed,
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** A client that follows an order. */
export async function follow(
  hub: { readonly url: string },
  target: { orderId: string; afterSequence?: number } | { userId: string },
  options?: Parameters<typeof connect>[1],
): Promise<TestClient> {
  const client = await connect(hub, options);
  client.send({ subscribe: target });
  return client;
}

export function newOrderId(): string {
  return `ORD-${randomUUID().replaceAll("-", "").slice(0, 26).toUpperCase()}`;
}
