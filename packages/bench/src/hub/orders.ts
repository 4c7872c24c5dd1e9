/**
 * Stands in for the order service: histories in memory, read over the same RPCs, and statuses that are published at a steady
 * rate. The real one would need most of the machine for a thousand orders per second, and the hub is what is measured.
 */
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { OrderEventSchema, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { startServer } from "@smartcart/mesh";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import { serveCommands } from "./commands.ts";
import type { Feed, Status } from "./feeds.ts";
import { openBusFeed, openJsonFeed } from "./feeds.ts";
import type { Step } from "./order-book.ts";
import {
  createOrderBook,
  createSchedule,
  milestones,
  orderIdOf,
  orderOf,
  userIdOf,
  userOf,
} from "./order-book.ts";

/** What was published in a run. */
export interface PublishResult {
  readonly statuses: number;
  /** From the first to the last. */
  readonly elapsedMs: number;
}

/** Publishing goes in portions, as an outbox's relay works. */
const tickMs = 10;
const gapMs = 100;

const users = Number(process.env.BENCH_USERS);
const book = createOrderBook(users);
const feed = await openFeed();

function openFeed(): Promise<Feed> {
  const { AMQP_URL: amqpUrl, DATABASE_URL: databaseUrl = "", BENCH_FEED } = process.env;
  if (BENCH_FEED === "json") return openJsonFeed(amqpUrl ?? "");
  return openBusFeed({ amqpUrl, databaseUrl });
}

function statusOf({ order, sequence }: Step, occurredAtMs: number): Status {
  const { milestone, status } = milestones[sequence - 1] ?? milestones[0];
  return {
    orderId: orderIdOf(order),
    userId: userIdOf(order % users),
    sequence,
    milestone,
    status,
    occurredAtMs,
    service: "order",
    traceId: order.toString(16).padStart(32, "0"),
  };
}

async function publish(o: {
  readonly rate: number;
  readonly seconds: number;
}): Promise<PublishResult> {
  const first = book.orders;
  const schedule = createSchedule({ ...o, gapMs });
  const startedAtMs = performance.now();
  let statuses = 0;
  while (!schedule.isOver()) {
    const due = schedule.due(performance.now() - startedAtMs);
    // Stored first, then announced, as in the real one: what a hub reads is never older than what it hears.
    const steps = due.map((order) => book.advance(first + order));
    const nowMs = Date.now();
    if (steps.length > 0) await feed.publish(steps.map((step) => statusOf(step, nowMs)));
    statuses += steps.length;
    await delay(tickMs);
  }
  return { statuses, elapsedMs: performance.now() - startedAtMs };
}

function routes(router: ConnectRouter): void {
  router.service(OrderService, {
    listOrders({ userId, pageSize }) {
      const orders = book.newestOf(userOf(userId), pageSize).map((order) => {
        const lastSequence = book.lastSequence(order);
        return create(OrderSchema, { orderId: orderIdOf(order), userId, lastSequence });
      });
      return { orders };
    },
    listOrderEvents({ orderId, afterSequence }) {
      const order = orderOf(orderId);
      const last = book.lastSequence(order);
      if (last === 0) throw new ConnectError(`no order has the id ${orderId}`, Code.NotFound);
      const length = Math.max(0, last - afterSequence);
      const events = Array.from({ length }, (_, index) =>
        entryOf({ order, sequence: afterSequence + index + 1 }),
      );
      return { events };
    },
  });
}

function entryOf(step: Step) {
  const { userId: _, occurredAtMs, ...entry } = statusOf(step, Date.now());
  return create(OrderEventSchema, { ...entry, occurredAt: timestampFromMs(occurredAtMs) });
}

await startServer({
  name: "order",
  port: Number(process.env.ORDER_PORT),
  portVariable: "ORDER_PORT",
  host: "127.0.0.1",
  services: [OrderService],
  routes,
  log: silentLogger,
  metrics: createMetrics("order"),
});
serveCommands({ publish });
