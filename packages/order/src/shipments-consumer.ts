/**
 * Folds what shipping reports into the order. Inbox, transition, history and outbox are one transaction, and the messages
 * are acknowledged after it.
 */
import { isMessage } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Delivery, EventBus, Outcome, RunningConsumer } from "@smartcart/bus";
import { claimMessages } from "@smartcart/bus";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import type { Logger } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { ShipmentFact } from "./order.ts";
import { foldShipment } from "./order.ts";
import { eventsOf } from "./order-view.ts";
import type { Advancement } from "./store.ts";
import { advanceOrders, lockOrders } from "./store.ts";
import { readableDate } from "./times.ts";

const QUEUE = "shipments";
const CONSUMER = "order.shipments";

export interface ShipmentsConsumerOptions {
  readonly bus: EventBus;
  readonly database: Database;
  readonly log: Logger;
  /** Called with each order that moved. */
  readonly onMoved: (orderId: string) => void;
}

export function startShipmentsConsumer(
  options: ShipmentsConsumerOptions,
): Promise<RunningConsumer> {
  return options.bus.consume(QUEUE, {
    name: CONSUMER,
    log: options.log,
    maxBatch: 128,
    async handle(batch) {
      const outcomes = await withTransaction(options.database, CONSUMER, (tx) =>
        foldBatch(tx, batch, options.log),
      );
      for (const delivery of batch) options.onMoved(factOf(delivery).orderId ?? "");
      return outcomes;
    },
  });
}

async function foldBatch(
  tx: Queryable,
  batch: readonly Delivery[],
  log: Logger,
): Promise<readonly Outcome[]> {
  const unseen = await claimMessages(tx, CONSUMER, [...new Set(batch.map(({ id }) => id))]);
  const facts = batch.map((delivery) => ({ delivery, ...factOf(delivery) }));
  const orderIds = [...new Set(facts.flatMap(({ orderId }) => orderId ?? []))];
  const orders = new Map((await lockOrders(tx, orderIds)).map((order) => [order.orderId, order]));
  // Each order's transitions one after the other, since both of its events may stand in one batch.
  const rounds: Advancement[][] = [];
  const outcomes = facts.map(({ delivery, orderId, fact, flaw }): Outcome => {
    const order = orderId === undefined ? undefined : orders.get(orderId);
    if (fact === undefined || orderId === undefined) {
      return { kind: "dead-letter", reason: flaw ?? "it tells of no shipment" };
    }
    if (order === undefined) {
      return { kind: "dead-letter", reason: `there is no order ${orderId}` };
    }
    if (!unseen.has(delivery.id)) return { kind: "ack" };
    const transition = foldShipment(order, fact);
    if (transition === "impossible") {
      log.error("order.shipment-impossible", { orderId, state: order.state, fact: fact.kind });
      return { kind: "dead-letter", reason: `order ${orderId} is ${order.state}` };
    }
    if (transition !== undefined) {
      const events = eventsOf(transition, delivery.traceparent);
      const advancement = { transition, events, answer: undefined };
      const round = rounds.find((taken) => taken.every((a) => a.transition.to.orderId !== orderId));
      if (round === undefined) rounds.push([advancement]);
      else round.push(advancement);
      orders.set(orderId, transition.to);
    }
    return { kind: "ack" };
  });
  for (const advancements of rounds) await storeRound(tx, advancements, log);
  return outcomes;
}

async function storeRound(tx: Queryable, advancements: readonly Advancement[], log: Logger) {
  const moved = await advanceOrders(tx, advancements, 0);
  for (const [index, { transition }] of advancements.entries()) {
    const { to } = transition;
    // The rows are locked, so nobody can have been quicker.
    if (!moved[index]) throw new Error(`order ${to.orderId} moved while it was locked`);
    log.info(`order.${to.state.toLowerCase()}`, { orderId: to.orderId, sequence: to.lastSequence });
  }
}

/** What a message tells of which order, or why it can never be folded in. */
interface Told {
  readonly orderId?: string;
  readonly fact?: ShipmentFact;
  readonly flaw?: string;
}

function factOf({ message, type }: Delivery): Told {
  const isStart = isMessage(message, OrderShippingStartedSchema);
  if (!isStart && !isMessage(message, OrderShippedSchema)) {
    return { flaw: `queue ${QUEUE} does not take ${type}` };
  }
  const { orderId } = message;
  // PostgreSQL's text takes no NUL: the statement of the whole batch would fail for it.
  if (orderId.includes("\0")) return { flaw: "its order id contains a NUL character" };
  if (isStart) {
    const startedAt = dateOf(message.startedAt);
    return startedAt ? { orderId, fact: { kind: "started", startedAt } } : { flaw: UNREADABLE };
  }
  const shippedAt = dateOf(message.shippedAt);
  const startedAt = message.startedAt ? readableDate(message.startedAt) : shippedAt;
  return startedAt && shippedAt
    ? { orderId, fact: { kind: "shipped", startedAt, shippedAt } }
    : { flaw: UNREADABLE };
}

const UNREADABLE =
  "its times are outside of the years 1 to 9999, or their nanos outside of a second";

/** Now where the message does not say; undefined where it says what cannot be kept. */
function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp ? readableDate(timestamp) : new Date();
}
