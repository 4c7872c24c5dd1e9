import type { DescMessage } from "@bufbuild/protobuf";
import type { Registry } from "@smartcart/runtime";
import { createBusMetrics } from "./metrics.ts";
import type { Delivery, EventBus } from "./types.ts";

/** The value of label `queue` for fan-out events. */
const fanOut = "fan-out";

/**
 * The same bus for one service: what this service publishes and handles is counted in its registry.
 * Services of one process share a bus, so the bus cannot tell them apart by itself. Disposing it disposes the bus.
 */
export function observeBus(bus: EventBus, metrics: Registry): EventBus {
  const { published, handled } = createBusMetrics(metrics);

  return {
    ...bus,
    async publish(events, options) {
      const report = await bus.publish(events, options);
      for (const [result, ids] of Object.entries(report)) {
        if (ids.length > 0) published.inc({ result }, ids.length);
      }
      return report;
    },
    consume: (queue, options) =>
      bus.consume(queue, {
        ...options,
        onHandled(result, delivery: Delivery | undefined) {
          handled.inc({ queue, result });
          options.onHandled?.(result, delivery);
        },
      }),
    subscribe: (event: DescMessage, options) =>
      bus.subscribe(event, {
        ...options,
        onEvents(events) {
          handled.inc({ queue: fanOut, result: "ack" }, events.length);
          options.onEvents(events as never);
        },
        onDropped(messageId) {
          handled.inc({ queue: fanOut, result: "drop" });
          options.onDropped?.(messageId);
        },
      }),
  };
}
