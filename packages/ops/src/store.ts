/** All statements of the service. Every table is bounded by each write to it. */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import { DeadLetterSchema } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { MeshMinute } from "@smartcart/gen/ops/v1/ops_service_pb";
import { MeshMinuteSchema } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Queryable } from "@smartcart/store";
import type { WholeDeadLetter } from "./dead-letter-actions.ts";

/** How far back minutes are kept, and how many minutes that is. */
const minutesKept = "interval '24 hours'";
const mostMinutes = 1_440;
/** How long archived dead letters are kept, and how many. */
const archiveKept = "interval '30 days'";
const mostArchived = 10_000;

/** Keeps the figures of a minute, unless another process has, and forgets those of more than a day ago. */
export async function insertMinute(db: Queryable, minute: MeshMinute): Promise<void> {
  const { beginsAt } = minute;
  if (beginsAt === undefined) return;
  await db.query({
    name: "ops.insert_minute",
    text: `with forgotten as (delete from mesh_minute where begins_at < now() - ${minutesKept})
      insert into mesh_minute (begins_at, figures) values ($1, $2) on conflict do nothing`,
    values: [timestampDate(beginsAt), toBinary(MeshMinuteSchema, minute)],
  });
}

/** The minutes that are kept, oldest first. */
export async function listMinutes(db: Queryable): Promise<MeshMinute[]> {
  const { rows } = await db.query<{ figures: Uint8Array }>({
    name: "ops.list_minutes",
    text: `select figures from mesh_minute where begins_at >= now() - ${minutesKept}
      order by begins_at desc limit ${mostMinutes}`,
  });
  return rows.map(({ figures }) => fromBinary(MeshMinuteSchema, figures)).reverse();
}

/** Archives dead letters; one that is archived already is replaced. Forgets the oldest of too many. */
export async function archiveDeadLetters(
  db: Queryable,
  deadLetters: readonly WholeDeadLetter[],
): Promise<void> {
  if (deadLetters.length === 0) return;
  await db.query({
    name: "ops.archive",
    text: `with old as (
        delete from archived_dead_letter where archived_at < now() - ${archiveKept}
          or archived_at < (select archived_at from archived_dead_letter order by archived_at desc offset ${mostArchived} limit 1))
      insert into archived_dead_letter (queue, message_id, order_id, letter, body)
      select distinct on (queue, message_id) *
      from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
        as a (queue, message_id, order_id, letter, body)
      on conflict (queue, message_id)
        do update set letter = excluded.letter, body = excluded.body, archived_at = now()`,
    values: [
      deadLetters.map(({ deadLetter }) => deadLetter.queue),
      deadLetters.map(({ deadLetter }) => deadLetter.messageId),
      deadLetters.map(({ deadLetter }) => deadLetter.orderId),
      deadLetters.map(({ deadLetter }) => toBinary(DeadLetterSchema, deadLetter)),
      deadLetters.map(({ body }) => body),
    ],
  });
}

/** Archived dead letters, the last one first; of one order, or of any for "". */
export async function listArchived(
  db: Queryable,
  orderId: string,
  limit: number,
): Promise<DeadLetter[]> {
  const { rows } = await db.query<{ letter: Uint8Array }>({
    name: orderId === "" ? "ops.list_archived" : "ops.list_archived_of_order",
    text: `select letter from archived_dead_letter where ${orderId === "" ? "$1 = ''" : "order_id = $1"}
      order by archived_at desc limit $2`,
    values: [orderId, limit],
  });
  return rows.map(({ letter }) => fromBinary(DeadLetterSchema, letter));
}

/** Deletes archived dead letters about the orders. @returns how many. */
export async function deleteArchivedOf(
  db: Queryable,
  orderIds: readonly string[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: "ops.delete_archived_of_orders",
    text: "delete from archived_dead_letter where order_id = any($1)",
    values: [orderIds],
  });
  return rowCount ?? 0;
}

/** An archived dead letter, by its key. */
export interface ArchivedBody {
  readonly queue: string;
  readonly messageId: string;
  readonly type: string;
  readonly body: Uint8Array;
}

/** Archived dead letters whose body has the text somewhere. */
export async function listArchivedWith(db: Queryable, text: string): Promise<ArchivedBody[]> {
  const { rows } = await db.query<{ letter: Uint8Array; body: Uint8Array }>({
    name: "ops.list_archived_with",
    text: "select letter, body from archived_dead_letter where position($1::bytea in body) > 0",
    values: [Buffer.from(text)],
  });
  return rows.map(({ letter, body }) => {
    const { queue, messageId, type } = fromBinary(DeadLetterSchema, letter);
    return { queue, messageId, type, body };
  });
}

/** Deletes archived dead letters by their keys. @returns how many. */
export async function deleteArchived(
  db: Queryable,
  deadLetters: readonly ArchivedBody[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: "ops.delete_archived",
    text: `delete from archived_dead_letter where (queue, message_id) in
      (select * from unnest($1::text[], $2::text[]))`,
    values: [deadLetters.map(({ queue }) => queue), deadLetters.map(({ messageId }) => messageId)],
  });
  return rowCount ?? 0;
}

/** How many archived dead letters could not be decoded, so that their order is unknown. */
export async function countArchivedUnreadable(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>({
    name: "ops.count_archived_unreadable",
    text: "select count(*)::int as count from archived_dead_letter where order_id = ''",
  });
  return rows[0]?.count ?? 0;
}

/** One archived dead letter; undefined where there is none. */
export async function findArchived(
  db: Queryable,
  queue: string,
  messageId: string,
): Promise<WholeDeadLetter | undefined> {
  const { rows } = await db.query<{ letter: Uint8Array; body: Uint8Array }>({
    name: "ops.find_archived",
    text: "select letter, body from archived_dead_letter where queue = $1 and message_id = $2",
    values: [queue, messageId],
  });
  const [row] = rows;
  return row && { deadLetter: fromBinary(DeadLetterSchema, row.letter), body: row.body };
}
