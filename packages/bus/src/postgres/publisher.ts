import { eventTypes } from "@smartcart/contract";
import { withTimeout } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { OutgoingEvent, PublishOptions, PublishReport } from "../types.ts";
import { storeMessages } from "./message-store.ts";

/** Stores the events for every queue and subscriber in one statement: its commit is the confirm. */
export async function publish(
  database: Database,
  events: readonly OutgoingEvent[],
  { signal, timeoutMs = 5_000 }: PublishOptions,
): Promise<PublishReport> {
  const routable = events.filter((event) => eventTypes.has(event.type));
  const unroutable = idsOf(events.filter((event) => !eventTypes.has(event.type)));
  if (routable.length === 0) return { confirmed: [], unknown: [], unroutable };

  const stored = storeMessages(database, routable).then(
    () => true,
    (error: unknown) => {
      database.log.warn("bus.publish_failed", { events: routable.length, error });
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
