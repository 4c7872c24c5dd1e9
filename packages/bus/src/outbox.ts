import { createSubscriptions } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";
import type { OutgoingEvent } from "./types.ts";

/** The migration set with table `outbox`; apply it to each schema that publishes. */
export const outboxMigrations = {
  name: "outbox",
  directory: new URL("../migrations/outbox/", import.meta.url),
};

/** A row that waits to be published. */
export interface OutboxRow extends OutgoingEvent {
  /** Its place in the outbox, a bigint as text. */
  readonly position: string;
  /** Failed publishes so far. */
  readonly attempts: number;
}

/** A row that was not published and when to try again. */
export interface OutboxFailure {
  readonly position: string;
  /** Pause before the next try; Infinity parks the row, 0 gives it back at once. */
  readonly delayMs: number;
  /** Whether this try counts towards the limit. */
  readonly counted: boolean;
  readonly error: string;
}

/** Stores the events in the caller's transaction, in the order given, in one statement. */
export async function insertOutbox(tx: Queryable, events: readonly OutgoingEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query({
    name: "outbox-insert",
    text: `insert into outbox (message_id, type, routing_key, ordering_key, body, traceparent)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])`,
    values: [
      events.map((event) => event.id),
      events.map((event) => event.type),
      events.map((event) => event.routingKey),
      events.map((event) => event.orderingKey),
      events.map((event) => event.body),
      events.map((event) => event.traceparent),
    ],
  });
}

/** Wakes a relay; false if another relay holds the lock of the outbox. */
type WakeRelay = () => boolean;

const relays = createSubscriptions<WakeRelay>();
const keyOf = ({ url, schema }: Pick<Database, "url" | "schema">) => `${schema} ${url}`;

/** The NOTIFY channel that wakes relays of other processes; the payload is the schema of the outbox. */
export const outboxChannel = "smartcart_outbox";
/** Pause between two notifications of one outbox, in milliseconds: a relay that is at work looks again without one. */
const notifyEveryMs = 50;
/** Outboxes that were notified just now, and whether they were written again since. */
const notified = new Map<string, boolean>();

/**
 * Wakes the relay of this outbox, in this process or, by NOTIFY, in another one. Call it after the commit. Best effort: a relay that
 * misses it finds the rows when it polls.
 */
export function outboxWritten(database: Database): void {
  const key = keyOf(database);
  const isHeard = [...relays.members(key)].map((wake) => wake()).includes(true);
  if (isHeard) return;
  if (notified.has(key)) notified.set(key, true);
  else notify(database, key);
}

function notify(database: Database, key: string): void {
  notified.set(key, false);
  setTimeout(() => {
    const again = notified.get(key);
    notified.delete(key);
    if (again) notify(database, key);
  }, notifyEveryMs).unref();
  database
    .query({
      name: "outbox-notify",
      text: "select pg_notify($1, $2)",
      values: [outboxChannel, database.schema],
    })
    // The database counts its own failures, and the relay polls.
    .catch(() => {});
}

/** Calls `wake` after each `outboxWritten` of this process for that outbox. Returns the function that ends it. */
export function onOutboxWritten(
  database: Pick<Database, "url" | "schema">,
  wake: WakeRelay,
): () => void {
  return relays.join(keyOf(database), wake);
}

/**
 * The oldest rows that may be published, in order. A row waits while an earlier one of its ordering key pauses or is parked. There
 * is no position to read on from: positions are given out before commits, so that a row can appear behind one that was seen.
 */
export async function readOutbox(db: Queryable, limit: number): Promise<OutboxRow[]> {
  const { rows } = await db.query<OutboxRow>({
    name: "outbox-read",
    text: `select position::text, message_id as id, type, routing_key as "routingKey", ordering_key as "orderingKey",
                  body, traceparent, attempts
           from outbox candidate
           where (not_before is null or not_before <= now())
             and (ordering_key = '' or not exists (
               select from outbox earlier
               where earlier.not_before > now() and earlier.ordering_key = candidate.ordering_key
                 and earlier.position < candidate.position))
           order by candidate.position
           limit $1`,
    values: [limit],
  });
  return rows;
}

/** Deletes confirmed rows, in one statement. */
export async function deleteOutbox(db: Queryable, positions: readonly string[]): Promise<void> {
  await db.query({
    name: "outbox-delete",
    text: "delete from outbox where position = any ($1::bigint[])",
    values: [positions],
  });
}

/** Notes failed publishes, in one statement. */
export async function deferOutbox(
  db: Queryable,
  failures: readonly OutboxFailure[],
): Promise<void> {
  await db.query({
    name: "outbox-defer",
    text: `update outbox set
             last_error = f.error,
             attempts = attempts + f.counted::int,
             not_before = case when f.delay_ms = 'Infinity' then 'infinity'
                               else now() + f.delay_ms * interval '1 millisecond' end
           from unnest($1::bigint[], $2::float8[], $3::boolean[], $4::text[]) as f (position, delay_ms, counted, error)
           where outbox.position = f.position`,
    values: [
      failures.map((failure) => failure.position),
      failures.map((failure) => failure.delayMs),
      failures.map((failure) => failure.counted),
      failures.map((failure) => failure.error),
    ],
  });
}

/** Rows not yet confirmed, those that are parked included. */
export async function countOutbox(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ pending: number }>({
    text: "select count(*)::int as pending from outbox",
  });
  return rows[0]?.pending ?? 0;
}

/** How long the oldest row has waited, in milliseconds; 0 where none waits. */
export async function outboxAgeMs(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ age_ms: number }>({
    text: `select greatest(0, extract(epoch from now() - created_at) * 1000)::float8 as age_ms
           from outbox order by position limit 1`,
  });
  return rows[0]?.age_ms ?? 0;
}
