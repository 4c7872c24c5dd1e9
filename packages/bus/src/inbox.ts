import type { Queryable } from "@smartcart/store";

/** The migration set with table `inbox`; apply it to each schema that consumes. */
export const inboxMigrations = {
  name: "inbox",
  directory: new URL("../migrations/inbox/", import.meta.url),
};

/**
 * Records the messages as handled by `consumer` and answers those seen for the first time. Call it
 * in the transaction of the effect, so that record and effect commit together; skip the ids that
 * are not in the answer.
 */
export async function claimMessages(
  tx: Queryable,
  consumer: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ message_id: string }>({
    name: "inbox-claim",
    text: `insert into inbox (consumer, message_id)
           select $1, id from unnest($2::text[]) as id
           on conflict do nothing
           returning message_id`,
    // Sorted: two consumers with copies of the same messages lock the rows in the same order.
    values: [consumer, [...ids].sort()],
  });
  return new Set(rows.map((row) => row.message_id));
}

/**
 * Forgets messages handled longer ago than `olderThanMs`, at most 10,000 a call, and answers how
 * many. A copy that arrives later than that is handled again, so keep days, not minutes.
 */
export async function pruneInbox(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query({
    text: `delete from inbox where ctid = any (array(
             select ctid from inbox
             where claimed_at < now() - $1 * interval '1 millisecond'
             limit 10000))`,
    values: [olderThanMs],
  });
  return rowCount;
}
