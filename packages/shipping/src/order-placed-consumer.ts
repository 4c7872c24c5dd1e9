import { isMessage } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ConsumeOptions, Delivery, EventBus, Outcome, RunningConsumer } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import type { Logger } from "@smartcart/runtime";
import { retryUntilReady, withSpan } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import { isConnectionError } from "@smartcart/store";
import type { ShipmentStart } from "./shipment.ts";
import { beginShipment, failsInSimulation, invalidReason, startMessage } from "./shipment.ts";
import { shippingStartedEvent } from "./shipment-events.ts";
import type { ShipmentLogFile } from "./shipment-log-file.ts";
import { insertStarted } from "./store.ts";

const queue = "orders";
const consumer = "shipping.orders";

/** What the consumer works with. */
export interface OrderPlacedConsumerOptions {
  readonly bus: EventBus;
  readonly database: Database;
  readonly log: Logger;
  readonly shipmentLog: ShipmentLogFile;
  /** From the start of a shipment until it leaves, in milliseconds; asked for each batch. */
  readonly delayMs: () => number;
  /** Share of attempts that fail, 0 to 1. */
  readonly failureRate: number;
  /** Age from which an order may have been deleted, with its shipment, in days; 0: none is. */
  readonly retentionDays: number;
  /** Whether every order is given up, for demonstrations; asked for each delivery. */
  readonly refuses: () => boolean;
  /** Called with the outcome of each delivery. */
  readonly onHandled: NonNullable<ConsumeOptions["onHandled"]>;
  readonly now: () => Date;
  /** Called after each batch with how many shipments it began, and in how many milliseconds they leave. */
  readonly onStarted: (count: number, leavesAfterMs: number) => void;
}

/**
 * Begins a shipment for each placed order. The shipments of a batch are one statement, and the messages are acknowledged after it.
 * The order id is the key of a shipment, so a repeated message changes nothing.
 */
export function startOrderPlacedConsumer(o: OrderPlacedConsumerOptions): Promise<RunningConsumer> {
  return o.bus.consume(queue, {
    name: consumer,
    log: o.log,
    maxBatch: 256,
    onHandled: o.onHandled,
    async handle(batch, { signal }) {
      const outcomes = batch.map((delivery) => classify(delivery, o));
      const accepted = batch.filter((_, index) => outcomes[index]?.kind === "ack");
      if (accepted.length > 0) {
        const leavesAfterMs = o.delayMs();
        const begin = () => beginAll(accepted, leavesAfterMs, o);
        const begun = await retryWhileUnavailable(begin, o.log, signal);
        await announce(begun, o);
        o.onStarted(begun.length, leavesAfterMs);
      }
      return outcomes;
    },
  });
}

/** What is to become of a delivery before the database is asked; "ack" means: if its transaction commits. */
function classify(
  { message, type, attempt }: Delivery,
  { failureRate, refuses, retentionDays, now }: OrderPlacedConsumerOptions,
): Outcome {
  if (!isMessage(message, OrderPlacedSchema)) {
    return { kind: "dead-letter", reason: `queue ${queue} does not accept ${type}` };
  }
  const flaw = invalidReason(message.orderId);
  if (flaw !== undefined) return { kind: "dead-letter", reason: flaw };
  if (retentionDays > 0 && isOlderThan(message.placedAt, retentionDays, now())) {
    // Its shipment may be deleted already, and then nothing would tell that it was shipped.
    const reason = `order ${message.orderId} is older than ORDER_RETENTION_DAYS (${retentionDays})`;
    return { kind: "dead-letter", reason };
  }
  if (refuses()) {
    return { kind: "dead-letter", reason: "the simulated carrier refuses every parcel (switch)" };
  }
  if (failsInSimulation(message.orderId, attempt, failureRate)) {
    return { kind: "retry", reason: `the simulated carrier took no parcel at attempt ${attempt}` };
  }
  return { kind: "ack" };
}

function isOlderThan(placedAt: Timestamp | undefined, days: number, now: Date): boolean {
  return placedAt !== undefined && timestampMs(placedAt) < now.getTime() - days * 86_400_000;
}

/**
 * Waits for a database that is away, as long as the handler may take. Without it an outage of some minutes would use up
 * the attempts of every order that is waiting.
 */
function retryWhileUnavailable<T>(
  attempt: () => Promise<T>,
  log: Logger,
  signal: AbortSignal,
): Promise<T> {
  const isFatal = (error: unknown) => !isConnectionError(error);
  return retryUntilReady({
    what: "PostgreSQL",
    variable: "DATABASE_URL",
    log,
    signal,
    attempt,
    isFatal,
  });
}

/** Begins the shipments of a batch and answers those that are new. */
async function beginAll(
  batch: readonly Delivery[],
  leavesAfterMs: number,
  { database, now }: OrderPlacedConsumerOptions,
): Promise<readonly ShipmentStart[]> {
  const startedAt = now();
  // By order, because two messages of one batch may tell of the same one.
  const starts = new Map(
    batch.map((delivery) => {
      const orderId = orderIdOf(delivery);
      const { traceparent } = delivery;
      return [orderId, beginShipment({ orderId, traceparent }, startedAt, leavesAfterMs)];
    }),
  );
  const begun = await insertStarted(database, [...starts.values()]);
  return [...starts.values()].filter(({ orderId }) => begun.has(orderId));
}

/**
 * Publishes and logs the started shipments, after the commit. The event is sent once and not stored: `OrderShipped` repeats the time of
 * the start, and the order service asks about an order for which neither arrives.
 */
async function announce(
  begun: readonly ShipmentStart[],
  { bus, log, shipmentLog, now }: OrderPlacedConsumerOptions,
): Promise<void> {
  if (begun.length === 0) return;
  // The dispatcher publishes both events of shipments that leave at once.
  const events = begun.filter((start) => start.dueAt > start.startedAt).map(shippingStartedEvent);
  if (events.length > 0) {
    const { confirmed } = await bus.publish(events);
    const lost = events.length - confirmed.length;
    if (lost > 0) log.warn("shipping.start_not_confirmed", { shipments: lost });
  }
  for (const { orderId, traceparent } of begun) {
    const span = {
      traceparent: traceparent || undefined,
      service: "shipping",
      attributes: { orderId },
    };
    withSpan("shipment.start", span, () =>
      log.info("shipping.started", { orderId, message: startMessage(orderId) }),
    );
  }
  const orderIds = begun.map(({ orderId }) => orderId);
  await shipmentLog.append(orderIds, now());
}

function orderIdOf({ message }: Delivery): string {
  return isMessage(message, OrderPlacedSchema) ? message.orderId : "";
}
