import type { Logger } from "@smartcart/runtime";
import { int, StartError, startTimer } from "@smartcart/runtime";
import type { Database, Queryable } from "@smartcart/store";

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

/** The setting of each service that consumes. */
export const inboxConfig = {
  INBOX_KEPT_HOURS: int({
    default: 168,
    desc: "how long a handled message is remembered, in hours: a copy that comes later is handled again",
  }),
};

const pruneEveryMs = 60_000;
const mostPrunedAtOnce = 10_000;

/**
 * Forgets messages handled longer ago than the setting says, once a minute all that are due.
 *
 * @throws StartError where nothing would be remembered
 */
export function startInboxPruning(o: {
  readonly name: string;
  readonly database: Database;
  readonly log: Logger;
  readonly keptHours: number;
}): AsyncDisposable {
  if (o.keptHours < 1) {
    const variable = "INBOX_KEPT_HOURS";
    const message = `${variable}: ${o.keptHours} would forget each message at once; set it to 1 or more`;
    throw new StartError(message, { variable });
  }
  return startTimer({
    name: o.name,
    intervalMs: pruneEveryMs,
    log: o.log,
    run: async (signal) => void (await pruneInbox(o.database, o.keptHours * 3_600_000, signal)),
  });
}

/**
 * Forgets messages handled longer ago than `olderThanMs` and answers how many. It deletes 10,000 at a
 * time, so that none of its statements holds locks for long, until none is left or the signal fires.
 */
export async function pruneInbox(
  db: Queryable,
  olderThanMs: number,
  signal?: AbortSignal,
): Promise<number> {
  let pruned = 0;
  for (let deleted = mostPrunedAtOnce; deleted === mostPrunedAtOnce && !signal?.aborted; ) {
    deleted = await deleteHandled(db, olderThanMs);
    pruned += deleted;
  }
  return pruned;
}

async function deleteHandled(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query({
    name: "inbox-prune",
    text: `delete from inbox where ctid = any (array(
             select ctid from inbox
             where claimed_at < now() - $1 * interval '1 millisecond'
             limit $2))`,
    values: [olderThanMs, mostPrunedAtOnce],
  });
  return rowCount;
}
