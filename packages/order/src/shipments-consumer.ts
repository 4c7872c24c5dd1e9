/**
 * Folds what shipping reports into the order. Inbox, transition, history and outbox are one transaction, and the messages
 * are acknowledged after it. Only what is folded goes into the inbox: a dead letter that is redriven has its effect then.
 */
import type { Message } from "@bufbuild/protobuf";
import { isMessage } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Delivery, EventBus, Outcome, RunningConsumer } from "@smartcart/bus";
import { claimMessages } from "@smartcart/bus";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import type { Logger } from "@smartcart/runtime";
import { retryUntilReady } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { isConnectionError, withTransaction } from "@smartcart/store";
import type { ShipmentFact, StoredOrder } from "./order.ts";
import { foldShipment } from "./order.ts";
import { eventsOf } from "./order-view.ts";
import type { Advancement } from "./store.ts";
import { advanceOrders, lockOrders } from "./store.ts";

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
    async handle(batch, { signal }) {
      const outcomes = await retryUntilReady({
        what: "PostgreSQL",
        variable: "DATABASE_URL",
        log: options.log,
        signal,
        attempt: () =>
          withTransaction(options.database, CONSUMER, (tx) => foldBatch(tx, batch, options.log)),
        // Without the patience an outage of some minutes would use up the attempts of all that waits.
        isFatal: (error) => !isConnectionError(error),
      });
      for (const [index, { message }] of batch.entries()) {
        const orderId = factOf(message)?.orderId;
        if (orderId !== undefined && outcomes[index]?.kind === "ack") options.onMoved(orderId);
      }
      return outcomes;
    },
  });
}

async function foldBatch(
  tx: Queryable,
  batch: readonly Delivery[],
  log: Logger,
): Promise<readonly Outcome[]> {
  const facts = batch.map((delivery) => ({ delivery, ...factOf(delivery.message) }));
  const orderIds = [...new Set(facts.flatMap(({ orderId }) => orderId ?? []))];
  const orders = new Map((await lockOrders(tx, orderIds)).map((order) => [order.orderId, order]));
  const refusals = facts.map(({ delivery, orderId, fact }) =>
    refusalOf({ delivery, orderId, fact, order: orders.get(orderId ?? "") }, log),
  );
  const accepted = batch.filter((_, index) => refusals[index] === undefined);
  const unseen = await claimMessages(tx, CONSUMER, [...new Set(accepted.map(({ id }) => id))]);
  // Each order's transitions one after the other, since both of its events may stand in one batch.
  const rounds: Advancement[][] = [];
  for (const [index, { delivery, orderId = "", fact }] of facts.entries()) {
    const order = orders.get(orderId);
    if (refusals[index] !== undefined || order === undefined || fact === undefined) continue;
    if (!unseen.has(delivery.id)) continue;
    const transition = foldShipment(order, fact);
    if (transition === undefined || transition === "impossible") continue;
    const events = eventsOf(transition, delivery.traceparent);
    const advancement = { transition, events, answer: undefined };
    const round = rounds.find((taken) => taken.every((a) => a.transition.to.orderId !== orderId));
    if (round === undefined) rounds.push([advancement]);
    else round.push(advancement);
    orders.set(orderId, transition.to);
  }
  for (const advancements of rounds) await storeRound(tx, advancements, log);
  return refusals.map((reason) =>
    reason === undefined ? { kind: "ack" } : { kind: "dead-letter", reason },
  );
}

/** A message and what it is about. */
interface Report {
  readonly delivery: Delivery;
  readonly orderId?: string | undefined;
  readonly fact?: ShipmentFact | undefined;
  /** Locked; undefined where there is none. */
  readonly order: StoredOrder | undefined;
}

/**
 * Why a report cannot be folded. What the locked order says holds for all of the batch: folding moves an order only between
 * states that a shipment can be folded into.
 */
function refusalOf({ delivery, orderId, fact, order }: Report, log: Logger): string | undefined {
  if (orderId === undefined || fact === undefined) {
    return `queue ${QUEUE} does not take ${delivery.type}`;
  }
  if (order === undefined) return `there is no order ${orderId}`;
  if (foldShipment(order, fact) !== "impossible") return undefined;
  log.error("order.shipment-impossible", { orderId, state: order.state, fact: fact.kind });
  return `order ${orderId} is ${order.state}`;
}

async function storeRound(tx: Queryable, advancements: readonly Advancement[], log: Logger) {
  const moved = await advanceOrders(tx, advancements, 0);
  for (const { to } of advancements.map(({ transition }) => transition)) {
    // The rows are locked, so nobody can have been quicker.
    if (!moved.has(to.orderId)) throw new Error(`order ${to.orderId} moved while it was locked`);
    log.info(`order.${to.state.toLowerCase()}`, { orderId: to.orderId, sequence: to.lastSequence });
  }
}

/** The rules of the contract have been held against the times: they are set where they must be, and can be stored. */
function factOf(message: Message): { orderId: string; fact: ShipmentFact } | undefined {
  if (isMessage(message, OrderShippingStartedSchema) && message.startedAt) {
    const startedAt = timestampDate(message.startedAt);
    return { orderId: message.orderId, fact: { kind: "started", startedAt } };
  }
  if (isMessage(message, OrderShippedSchema) && message.shippedAt) {
    const shippedAt = timestampDate(message.shippedAt);
    const startedAt = message.startedAt ? timestampDate(message.startedAt) : shippedAt;
    return { orderId: message.orderId, fact: { kind: "shipped", startedAt, shippedAt } };
  }
  return undefined;
}
