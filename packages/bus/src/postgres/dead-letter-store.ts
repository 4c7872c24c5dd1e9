/** The SQL of dead letters: messages of the queue `<queue>.dlq`. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { QueueType } from "@smartcart/contract";
import type { Queryable } from "@smartcart/store";
import type { RawMessage } from "../message.ts";
import { deadLetterQueue, messageColumns, wakeChannel } from "./message-store.ts";

/** A message that was given up. */
export interface StoredDeadLetter extends RawMessage {
  readonly reason: string;
  readonly failedAt: Date | null;
  /** Headers of a foreign sender. */
  readonly headers: JsonValue;
}

/** Selects dead letters of a queue by id, or all, up to a position and a limit. */
export interface Selection {
  readonly queue: QueueType;
  readonly ids: readonly string[] | "all";
  /** A bigint as text. */
  readonly last: string;
  readonly limit: number;
}

/** The oldest ones. */
export async function readDeadLetters(
  db: Queryable,
  queue: QueueType,
  limit: number,
): Promise<StoredDeadLetter[]> {
  const { rows } = await db.query<StoredDeadLetter>({
    text: `select ${messageColumns}, coalesce(reason, '') as reason, failed_at as "failedAt", headers
           from message where queue = $1 order by position limit $2`,
    values: [deadLetterQueue(queue), limit],
  });
  return rows;
}

/** How many there are, and the position of the newest. */
export async function measureDeadLetters(
  db: Queryable,
  queue: QueueType,
): Promise<{ readonly count: number; readonly last: string }> {
  const { rows } = await db.query<{ count: number; last: string }>({
    text: `select count(*)::integer as count, coalesce(max(position), 0)::text as last from message where queue = $1`,
    values: [deadLetterQueue(queue)],
  });
  return rows[0] ?? { count: 0, last: "0" };
}

/** Puts them at the end of their queue, at their first attempt, and notifies its consumers; returns how many. */
export async function redriveDeadLetters(db: Queryable, selection: Selection): Promise<number> {
  const { rowCount } = await db.query({
    text: `with moved as (
             update message set queue = $5, position = default, attempt = 1, reason = null, failed_at = null
             where ${selected} returning 1
           )
           select pg_notify($6, $5) from moved`,
    values: [...valuesOf(selection), selection.queue.name, wakeChannel],
  });
  return rowCount;
}

/** Deletes them; returns how many. */
export async function dropDeadLetters(db: Queryable, selection: Selection): Promise<number> {
  const { rowCount } = await db.query({
    text: `delete from message where ${selected}`,
    values: valuesOf(selection),
  });
  return rowCount;
}

// A message without an id that can be stored is selected by a hash, see `idOf`.
// An array, not a subquery behind `in`: that may be run again for each row and select `limit` other rows each time.
const selected = `queue = $1 and position = any (array(
  select position from message
  where queue = $1 and position <= $2 and ($3::text[] is null or message_id = any ($3)
    or 'sha256:' || encode(sha256(convert_to(type, 'UTF8') || '\\x00'::bytea || body), 'hex') = any ($3))
  order by position limit $4 for update skip locked))`;

function valuesOf({ queue, ids, last, limit }: Selection): unknown[] {
  return [deadLetterQueue(queue), last, ids === "all" ? null : ids, limit];
}
