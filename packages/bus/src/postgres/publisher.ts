import { eventTypes } from "@smartcart/contract";
import type { Logger } from "@smartcart/runtime";
import { withTimeout } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { OutgoingEvent, PublishOptions, PublishReport } from "../types.ts";
import { storeMessages } from "./message-store.ts";

/** What a publisher works with. */
export interface PublisherParts {
  readonly database: Database;
  readonly log: Logger;
}

/** Stores the events for every queue and subscriber in one statement: its commit is the confirm. */
export async function publish(
  events: readonly OutgoingEvent[],
  { signal, timeoutMs = 5_000 }: PublishOptions,
  parts: PublisherParts,
): Promise<PublishReport> {
  const routable = events.filter((event) => eventTypes.has(event.type));
  const unroutable = idsOf(events.filter((event) => !eventTypes.has(event.type)));
  if (routable.length === 0) return { confirmed: [], unknown: [], unroutable };

  const stored = storeMessages(parts.database, routable).then(
    () => true,
    (error: unknown) => {
      parts.log.warn("bus.publish_failed", { events: routable.length, error });
      return false;
    },
  );
  const confirmed = await withTimeout(stored, timeoutMs, () => false, signal);
  const ids = idsOf(routable);
  return { confirmed: confirmed ? ids : [], unknown: confirmed ? [] : ids, unroutable };
}

function idsOf(events: readonly OutgoingEvent[]): string[] {
  return events.map((event) => event.id);
}
