import type { PgBoss } from "pg-boss";
import { eventTypes } from "@smartcart/contract";
import type { Logger } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { OutgoingEvent, PublishOptions, PublishReport } from "../types.ts";
import { on } from "./queue-engine.ts";
import { notify, publishFanout } from "./queue-store.ts";
import { hintChannel } from "./session.ts";
import { toStored } from "./stored-message.ts";
import { fanoutTopic } from "./subscriber.ts";

/** What a publisher works with. */
export interface PublisherParts {
  readonly database: Database;
  readonly boss: PgBoss;
  readonly log: Logger;
}

/** Stores the events for every queue and listener in one transaction: its commit is the confirm. */
export async function publish(
  events: readonly OutgoingEvent[],
  { signal, timeoutMs = 5_000 }: PublishOptions,
  parts: PublisherParts,
): Promise<PublishReport> {
  const routable = events.filter((event) => eventTypes.has(event.type));
  const unroutable = idsOf(events.filter((event) => !eventTypes.has(event.type)));
  if (routable.length === 0) return { confirmed: [], unknown: [], unroutable };

  const late = Promise.withResolvers<false>();
  const timer = setTimeout(late.resolve, timeoutMs, false);
  const giveUp = () => late.resolve(false);
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted) giveUp();
  const stored = store(routable, parts).then(
    () => true,
    (error: unknown) => {
      parts.log.warn("bus.publish_failed", { events: routable.length, error });
      return false;
    },
  );
  const confirmed = await Promise.race([stored, late.promise]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", giveUp);
  const ids = idsOf(routable);
  return { confirmed: confirmed ? ids : [], unknown: confirmed ? [] : ids, unroutable };
}

async function store(
  events: readonly OutgoingEvent[],
  { database, boss, log }: PublisherParts,
): Promise<void> {
  const byQueue = groupBy(events, (event) => eventTypes.get(event.type)?.queues ?? []);
  const byType = groupBy(events, (event) => [event.type]);
  const write = async (tx: Queryable) => {
    for (const [queue, members] of byQueue) {
      await boss.insert(queue, [{ data: { messages: members.map(toStored) } }], on(tx));
    }
    const batches = [...byType.values()].map((members) =>
      JSON.stringify({ messages: members.map(toStored) }),
    );
    // Last: it takes a lock that the other publishers wait for until the commit.
    await publishFanout(tx, [...byType.keys()], batches);
  };
  if (byQueue.size === 0) await write(database);
  else await withTransaction(database, "queue.publish", write);

  const topics = [...byQueue.keys(), ...[...byType.keys()].map(fanoutTopic)];
  // Only a hint, and not worth waiting for; whoever misses it looks by itself.
  notify(database, hintChannel, topics).catch((error: unknown) => {
    log.debug("bus.hint_failed", { error });
  });
}

function groupBy(
  events: readonly OutgoingEvent[],
  keysOf: (event: OutgoingEvent) => readonly string[],
): Map<string, OutgoingEvent[]> {
  const groups = new Map<string, OutgoingEvent[]>();
  for (const event of events) {
    for (const key of keysOf(event)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [event]);
      else group.push(event);
    }
  }
  return groups;
}

function idsOf(events: readonly OutgoingEvent[]): string[] {
  return events.map((event) => event.id);
}
