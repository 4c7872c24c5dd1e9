import type { Database, Queryable } from "@smartcart/store";
import { withTransaction } from "@smartcart/store";
import type { OutgoingEvent } from "./types.ts";

/** The migration set with table `outbox`; apply it to each schema that publishes. */
export const outboxMigrations = {
  name: "outbox",
  directory: new URL("../migrations/outbox/", import.meta.url),
};

/** A claimed outbox row. */
export interface OutboxRow extends OutgoingEvent {
  /** Its place in the outbox, a bigint as text. */
  readonly position: string;
  /** Failed publishes so far. */
  readonly attempts: number;
}

/** A row that was not published and when to try again. */
export interface OutboxFailure {
  readonly position: string;
  /** Pause before the next try; "infinity" parks the row, 0 gives it back at once. */
  readonly delayMs: number | "infinity";
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

/**
 * Leases the oldest free rows to `owner`, in order. A row waits while an earlier one of its
 * ordering key is leased, pausing or parked. Claims take turns by an advisory lock: two relays
 * claiming at once would each take a part of one key.
 */
export async function claimOutbox(
  database: Database,
  o: { owner: string; limit: number; leaseMs: number },
): Promise<OutboxRow[]> {
  return await withTransaction(database, "outbox.claim", async (tx) => {
    // A statement of its own, so that the next one's snapshot is taken after the other relay's
    // commit.
    await tx.query({
      name: "outbox-turn",
      text: "select pg_advisory_xact_lock(hashtext('smartcart.outbox'), hashtext(current_schema()))",
    });
    const { rows } = await tx.query<ClaimedRow>({
      name: "outbox-claim",
      text: claimStatement,
      values: [o.owner, o.limit, o.leaseMs],
    });
    return rows.map(fromRow).sort(byPosition);
  });
}

/** Deletes confirmed rows that still belong to `owner`, in one statement. */
export async function deleteOutbox(
  db: Queryable,
  owner: string,
  positions: readonly string[],
): Promise<void> {
  await db.query({
    name: "outbox-delete",
    text: "delete from outbox where position = any ($1::bigint[]) and lease_owner = $2",
    values: [positions, owner],
  });
}

/** Gives rows that still belong to `owner` back, in one statement. */
export async function releaseOutbox(
  db: Queryable,
  owner: string,
  failures: readonly OutboxFailure[],
): Promise<void> {
  await db.query({
    name: "outbox-release",
    text: `update outbox set
             leased_until = null, lease_owner = null, last_error = f.error,
             attempts = attempts + f.counted,
             not_before = case when f.delay_ms = 'Infinity' then 'infinity'
                               else now() + f.delay_ms * interval '1 millisecond' end
           from unnest($2::bigint[], $3::float8[], $4::int[], $5::text[]) as f (position, delay_ms, counted, error)
           where outbox.position = f.position and lease_owner = $1`,
    values: [
      owner,
      failures.map((failure) => failure.position),
      failures.map((failure) => (failure.delayMs === "infinity" ? "Infinity" : failure.delayMs)),
      failures.map((failure) => (failure.counted ? 1 : 0)),
      failures.map((failure) => failure.error),
    ],
  });
}

/** Whether a claim might find something; one cheap statement without a lock. */
export async function hasOutboxWork(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "outbox-peek",
    text: `select 1 from outbox
           where (leased_until is null or leased_until < now())
             and (not_before is null or not_before <= now())
           limit 1`,
  });
  return rowCount > 0;
}

/** Rows not yet confirmed: all of them, and those that are parked. */
export async function countOutbox(db: Queryable): Promise<{ pending: number; parked: number }> {
  const { rows } = await db.query<{ pending: number; parked: number }>({
    text: `select count(*)::int as pending,
                  (count(*) filter (where not_before = 'infinity'))::int as parked
           from outbox`,
  });
  return rows[0] ?? { pending: 0, parked: 0 };
}

const claimStatement = `
  with free as (
    select position from outbox candidate
    where (leased_until is null or leased_until < now())
      and (not_before is null or not_before <= now())
      and (ordering_key = '' or not exists (
        select 1 from outbox earlier
        where earlier.ordering_key = candidate.ordering_key
          and earlier.ordering_key <> ''
          and earlier.position < candidate.position
          and (earlier.leased_until >= now() or earlier.not_before > now())))
    order by position
    limit $2
  )
  update outbox set lease_owner = $1, leased_until = now() + $3 * interval '1 millisecond'
  from free where outbox.position = free.position
  returning outbox.position::text, message_id, type, routing_key, ordering_key, body, traceparent, attempts`;

interface ClaimedRow {
  position: string;
  message_id: string;
  type: string;
  routing_key: string;
  ordering_key: string;
  body: Uint8Array;
  traceparent: string;
  attempts: number;
}

function fromRow(row: ClaimedRow): OutboxRow {
  return {
    position: row.position,
    id: row.message_id,
    type: row.type,
    routingKey: row.routing_key,
    orderingKey: row.ordering_key,
    body: row.body,
    traceparent: row.traceparent,
    attempts: row.attempts,
  };
}

function byPosition(a: OutboxRow, b: OutboxRow): number {
  return a.position.length - b.position.length || (a.position < b.position ? -1 : 1);
}
