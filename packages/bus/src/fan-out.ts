import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { readEvent, redactError, textRedactor } from "@smartcart/contract";
import { createThrottle } from "@smartcart/runtime";
import type { SubscribeOptions } from "./types.ts";

/** The subscriber's end of a fan-out, the same on both engines. */
export interface FanOutEnd<D extends DescMessage> {
  /** The event in a message; undefined where it breaks the contract and is dropped. Never throws. */
  read(message: { readonly id: string; readonly body: Uint8Array }): MessageShape<D> | undefined;
  /** Passes events to the subscriber. Never throws: an error of the subscriber is reported to it as a gap. */
  deliver(events: readonly MessageShape<D>[]): void;
}

/** Limits the log lines about invalid events: they travel over the same queue. */
const logEveryMs = 1_000;

/** Reads and hands over for one subscriber. */
export function createFanOutEnd<D extends DescMessage>(
  desc: D,
  o: SubscribeOptions<D>,
): FanOutEnd<D> {
  const throttle = createThrottle(logEveryMs);

  function drop(messageId: string, reason: string): undefined {
    o.onDropped?.(messageId);
    const dropped = throttle();
    if (dropped === 0) return;
    // Logged and dropped: a fan-out has no dead letters.
    o.log.warn("bus.event_dropped", {
      consumer: o.name,
      type: desc.typeName,
      messageId,
      reason,
      dropped,
    });
  }

  return {
    read({ id, body }) {
      const result = readEvent(desc, body);
      return "event" in result ? result.event : drop(id, result.invalidReason);
    },
    deliver(events) {
      try {
        o.onEvents(events);
      } catch (thrown) {
        const error = redactError(thrown, textRedactor(events.map((event) => [desc, event])));
        o.log.error("bus.subscriber_failed", { consumer: o.name, events: events.length, error });
        o.onGap();
      }
    },
  };
}
