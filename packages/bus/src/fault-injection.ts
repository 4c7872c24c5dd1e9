import type { EventBus } from "./types.ts";

/** A bus whose connection can be cut on purpose. */
export interface FaultInjectingBus {
  /** The bus as its user sees it. */
  readonly bus: EventBus;
  /** Cuts the connection, until it is mended. */
  cut(isCut: boolean): void;
}

/**
 * For demonstrations: while it is cut, whoever publishes by it meets what a broken connection looks
 * like. No event is confirmed, and the check fails. It bears on this user only, who may share the
 * connection itself with others. What is consumed by it goes on.
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
