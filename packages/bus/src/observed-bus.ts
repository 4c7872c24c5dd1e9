import type { DescMessage, Message } from "@bufbuild/protobuf";
import { isMessage } from "@bufbuild/protobuf";
import { OrderStatusesChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import type { Registry } from "@smartcart/runtime";
import { passagesOf } from "@smartcart/runtime";
import { eventTypes } from "./contract.ts";
import { createBusMetrics } from "./metrics.ts";
import type { Delivery, EventBus } from "./types.ts";

/** Whose messages are counted, and where. */
export interface ObserveOptions {
  /** The part's registry. */
  readonly metrics: Registry;
  /** The part: "shipping". */
  readonly part: string;
}

/** What a fan-out is called among the queues. */
const fanOut = "fan-out";

/**
 * The same bus, in the hands of one part: what it publishes and handles is counted in its registry,
 * and the orders that come through are noted for the operator's desk. Parts of one process share a
 * bus, so the bus cannot tell them apart by itself. Disposing it disposes the bus.
 */
export function observeBus(bus: EventBus, { metrics, part }: ObserveOptions): EventBus {
  const { countReport, handled } = createBusMetrics(metrics);
  const passages = passagesOf(metrics);
  const arrived = (type: string, message: Message, failed: boolean) => {
    for (const orderId of orderIdsIn(type, message)) passages.note(orderId, "queue", part, failed);
  };

  return {
    ...bus,
    async publish(events, options) {
      const report = await bus.publish(events, options);
      countReport(report);
      const confirmed = new Set(report.confirmed);
      for (const { id, type, orderingKey } of events) {
        if (orderingKey !== "" && isAboutOrder(type)) {
          passages.note(orderingKey, part, "queue", !confirmed.has(id));
        }
      }
      return report;
    },
    consume: (queue, options) =>
      bus.consume(queue, {
        ...options,
        onHandled(result, delivery: Delivery | undefined) {
          handled.inc({ queue, result });
          if (delivery) arrived(delivery.type, delivery.message, result !== "ack");
          options.onHandled?.(result, delivery);
        },
      }),
    subscribe: (event: DescMessage, options) =>
      bus.subscribe(event, {
        ...options,
        onEvents(events) {
          handled.inc({ queue: fanOut, result: "ack" }, events.length);
          for (const one of events) arrived(event.typeName, one, false);
          options.onEvents(events as never);
        },
        onDropped(messageId) {
          handled.inc({ queue: fanOut, result: "drop" });
          options.onDropped?.(messageId);
        },
      }),
  };
}

function isAboutOrder(type: string): boolean {
  return eventTypes.get(type)?.orderingField === "order_id";
}

/** The orders that a message is about: of merged statuses several, each once. */
function orderIdsIn(type: string, message: Message): Iterable<string> {
  if (isMessage(message, OrderStatusesChangedSchema)) {
    return new Set(message.changes.map((change) => change.orderId));
  }
  const orderId = orderIdIn(type, message);
  return orderId === "" ? [] : [orderId];
}

/** The order that a message is about; "" where it is about none. */
export function orderIdIn(type: string, message: Message): string {
  if (!isAboutOrder(type)) return "";
  const { orderId } = message as Message & { readonly orderId?: unknown };
  return typeof orderId === "string" ? orderId : "";
}
