import type { EventBus } from "./types.ts";

/** A bus whose connection can be cut on purpose. */
export interface FaultInjectingBus {
  /** The bus as its user sees it. */
  readonly bus: EventBus;
  /** Cuts the connection, until it is mended. */
  cut(isCut: boolean): void;
}

/**
 * For demonstrations. While it is cut, publishes through this object behave as on a broken connection: no event is confirmed, and
 * `check` fails. Consumers, and other users of the same connection, are not affected.
 */
export function createFaultInjectingBus(bus: EventBus): FaultInjectingBus {
  let isCut = false;
  return {
    cut(now) {
      isCut = now;
    },
    bus: {
      ...bus,
      async publish(events, options) {
        if (!isCut) return await bus.publish(events, options);
        return { confirmed: [], unknown: events.map(({ id }) => id), unroutable: [] };
      },
      async check() {
        if (isCut) throw new Error("the connection to the queue is cut, for demonstration");
        await bus.check();
      },
    },
  };
}
