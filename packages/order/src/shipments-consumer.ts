/**
 * Applies shipping's reports to orders by compare-and-set, and acknowledges the messages after that. Whether a message is a repeated
 * copy shows in the order's state, so message ids need not be stored.
 */
import { isMessage } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Delivery, EventBus, Outcome, RunningConsumer } from "@smartcart/bus";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import type { Logger } from "@smartcart/runtime";
import { retryUntilReady } from "@smartcart/runtime";
import { isConnectionError } from "@smartcart/store";
import type { ShipmentFact, StoredOrder, Transition } from "./order.ts";
import { applyShipmentFact, join } from "./order.ts";
import { eventsOf } from "./order-view.ts";
import type { OrderRepository } from "./repository.ts";
import { readableDate } from "./times.ts";

const queue = "shipments";
const consumer = "order.shipments";
/** How often a batch reads its orders again where another process changed them meanwhile. Then the messages are retried. */
const maxRounds = 5;

interface ShipmentsConsumerOptions {
  readonly bus: EventBus;
  readonly repository: Pick<OrderRepository, "find" | "advance">;
  readonly log: Logger;
}

/**
 * Consumes queue `shipments`. Messages about unknown orders, or with unreadable content, become dead letters. Disposing finishes the batch
 * under way.
 */
export function startShipmentsConsumer(
  options: ShipmentsConsumerOptions,
): Promise<RunningConsumer> {
  const { bus, log } = options;
  return bus.consume(queue, {
    name: consumer,
    log,
    maxBatch: 256,
    handle: (batch, { signal }) =>
      retryUntilReady({
        what: "PostgreSQL",
        variable: "DATABASE_URL",
        log,
        signal,
        attempt: () => handleBatch(batch, options),
        // A retry of the queue counts as an attempt: an outage of some minutes would use up those of all waiting messages.
        isFatal: (error) => !isConnectionError(error),
      }),
  });
}

async function handleBatch(
  batch: readonly Delivery[],
  options: ShipmentsConsumerOptions,
): Promise<readonly Outcome[]> {
  const reports = batch.map((delivery): Report => ({ delivery, ...factOf(delivery) }));
  const outcomes = new Map<Report, Outcome>();
  let open = reports;
  for (let round = 1; round <= maxRounds && open.length > 0; round += 1) {
    for (const [report, outcome] of await applyReports(open, options))
      outcomes.set(report, outcome);
    open = open.filter((report) => !outcomes.has(report));
  }
  const retry: Outcome = { kind: "retry", reason: "the order moves too fast" };
  return reports.map((report) => outcomes.get(report) ?? retry);
}

/** A message and what it is about. */
interface Report extends Told {
  readonly delivery: Delivery;
}

/** The transition that all reports of one order in a batch amount to. */
interface Step {
  readonly transition: Transition;
  readonly traceparent: string;
}

/** Applies the reports. One whose order another process changed in the meantime has no outcome: the caller tries it again. */
async function applyReports(
  reports: readonly Report[],
  { repository, log }: ShipmentsConsumerOptions,
): Promise<ReadonlyMap<Report, Outcome>> {
  const ids = [...new Set(reports.flatMap(({ orderId }) => orderId ?? []))];
  // The repository joins these reads into one statement, and the writes below likewise.
  const found = await Promise.all(ids.map(repository.find));
  const orders = new Map(found.flatMap((order) => (order ? [[order.orderId, order]] : [])));
  // By order, since both of its reports may stand in one batch: then they are one transition.
  const steps = new Map<string, Step>();
  const outcomes = new Map<Report, Outcome>();
  for (const report of reports) {
    const { orderId = "", delivery } = report;
    const order = steps.get(orderId)?.transition.to ?? orders.get(orderId);
    const applied = applyReport(report, order, log);
    outcomes.set(report, applied.outcome);
    if (applied.transition === undefined) continue;
    const transition = join(steps.get(orderId)?.transition, applied.transition);
    steps.set(orderId, { transition, traceparent: delivery.traceparent });
  }
  const store = async ({ transition, traceparent }: Step) => {
    const events = eventsOf(transition, traceparent);
    const { orderId, state, lastSequence: sequence } = transition.to;
    const moved = await repository.advance({ transition, events, answer: undefined });
    if (moved) log.debug(`order.${state.toLowerCase()}`, { orderId, sequence });
    return moved ? [] : [orderId];
  };
  const lost = new Set((await Promise.all([...steps.values()].map(store))).flat());
  for (const report of reports) if (lost.has(report.orderId ?? "")) outcomes.delete(report);
  return outcomes;
}

/** What a report makes of its order. Pure but for the log. */
function applyReport(
  { delivery, orderId, fact, flaw }: Report,
  order: StoredOrder | undefined,
  log: Logger,
): { outcome: Outcome; transition?: Transition | undefined } {
  const refuse = (reason: string) => ({ outcome: { kind: "dead-letter", reason } as const });
  if (orderId === undefined || fact === undefined) {
    return refuse(flaw ?? `queue ${queue} does not take ${delivery.type}`);
  }
  if (order === undefined) return refuse(`no order has the id ${orderId}`);
  const transition = applyShipmentFact(order, fact);
  if (transition !== "impossible") return { outcome: { kind: "ack" }, transition };
  log.error("order.shipment_impossible", { orderId, state: order.state, fact: fact.kind });
  return refuse(`order ${orderId} is ${order.state}`);
}

/** What a message tells of which order, or why it can never be applied. */
interface Told {
  readonly orderId?: string;
  readonly fact?: ShipmentFact;
  readonly flaw?: string;
}

function factOf({ message, type }: Delivery): Told {
  const isStart = isMessage(message, OrderShippingStartedSchema);
  if (!isStart && !isMessage(message, OrderShippedSchema)) {
    return { flaw: `queue ${queue} does not accept ${type}` };
  }
  const { orderId } = message;
  // PostgreSQL's text takes no NUL: the statement of the whole batch would fail for it.
  if (orderId.includes("\0")) return { flaw: "its order id contains a NUL character" };
  if (isStart) {
    const startedAt = dateOf(message.startedAt);
    return startedAt ? { orderId, fact: { kind: "started", startedAt } } : { flaw: unreadable };
  }
  const shippedAt = dateOf(message.shippedAt);
  const startedAt = message.startedAt ? readableDate(message.startedAt) : shippedAt;
  return startedAt && shippedAt
    ? { orderId, fact: { kind: "shipped", startedAt, shippedAt } }
    : { flaw: unreadable };
}

const unreadable = "its times are outside of the years 1 to 9999, or their nanos are invalid";

/** The time of a message; now where it has none, undefined where the database cannot hold it. */
function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp ? readableDate(timestamp) : new Date();
}
