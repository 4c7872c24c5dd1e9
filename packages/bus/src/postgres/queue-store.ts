/**
 * The SQL of the PostgreSQL queue that pg-boss has no call for. All of it runs in schema `queue`.
 */
import type { Queryable } from "@smartcart/store";

/** A job in a consumer's hands. `retryCount` says which claim of it this is. */
export interface ClaimedJob {
  readonly id: string;
  readonly retryCount: number;
}

/** What a consumer had in hand. */
export interface Claim {
  readonly consumer: string;
  readonly queue: string;
  readonly jobs: readonly ClaimedJob[];
}

/** Jobs of a dead-letter queue. */
export interface DeadJob {
  readonly id: string;
  readonly data: unknown;
  readonly createdAt: Date;
}

/** The ids in the order in which their jobs are due; a claim returns them in any order. */
export async function sortJobs(
  tx: Queryable,
  queue: string,
  ids: readonly string[],
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: "queue-sort",
    text: "select id from job where name = $1 and id = any ($2::uuid[]) order by created_on, id",
    values: [queue, ids],
  });
  return rows.map((row) => row.id);
}

/** Gives the parts of a job its place in the queue, one after the other. */
export async function placeParts(
  tx: Queryable,
  queue: string,
  whole: string,
  parts: readonly string[],
): Promise<void> {
  await tx.query({
    name: "queue-place",
    text: `update job set created_on = whole.created_on + part.place * interval '1 microsecond'
           from unnest($3::uuid[]) with ordinality as part (id, place),
                (select created_on from job where name = $1 and id = $2) as whole
           where job.name = $1 and job.id = part.id`,
    values: [queue, whole, parts],
  });
}

/** Writes down what the consumer has in hand now. */
export async function saveClaim(tx: Queryable, instance: number, claim: Claim): Promise<void> {
  await tx.query({
    name: "queue-claim",
    text: `insert into bus_claim (consumer, instance, queue, job_ids, retry_counts)
           values ($1, $2, $3, $4, $5)
           on conflict (consumer) do update set
             instance = excluded.instance, queue = excluded.queue,
             job_ids = excluded.job_ids, retry_counts = excluded.retry_counts`,
    values: [
      claim.consumer,
      instance,
      claim.queue,
      claim.jobs.map((job) => job.id),
      claim.jobs.map((job) => job.retryCount),
    ],
  });
}

/** Takes a consumer's claim away. */
export async function takeClaim(tx: Queryable, consumer: string): Promise<Claim | undefined> {
  const { rows } = await tx.query<ClaimRow>({
    name: "queue-take-claim",
    text: "delete from bus_claim where consumer = $1 returning consumer, queue, job_ids, retry_counts",
    values: [consumer],
  });
  return rows.map(toClaim)[0];
}

/** Takes the claims away whose bus is gone: nobody holds the lock on its number any more. */
export async function takeAbandonedClaims(tx: Queryable): Promise<Claim[]> {
  const { rows } = await tx.query<ClaimRow>({
    name: "queue-take-abandoned",
    text: `delete from bus_claim where consumer in (
             select consumer from bus_claim c
             where not exists (
               select from pg_locks
               where locktype = 'advisory' and granted
                 and database = (select oid from pg_database where datname = current_database())
                 and classid = ${instanceLockClass} and objid = c.instance::oid and objsubid = 2)
             for update skip locked)
           returning consumer, queue, job_ids, retry_counts`,
  });
  return rows.map(toClaim);
}

/** The first half of the advisory locks on bus numbers. */
const instanceLockClass = 715_301;

/** Gives the session a bus number and locks it for as long as the session lives. */
export async function lockInstance(session: Queryable): Promise<number> {
  const { rows } = await session.query<{ instance: number }>({
    text: `select instance, pg_advisory_lock(${instanceLockClass}, instance)
           from (select nextval('bus_instance')::integer as instance offset 0) as next`,
  });
  const instance = rows[0]?.instance;
  if (instance === undefined) throw new Error("sequence bus_instance gave no number");
  return instance;
}

/**
 * Says on the hint channel that there is something new for these topics: queue names or
 * `fanout:<type>`.
 */
export async function notify(
  db: Queryable,
  channel: string,
  topics: readonly string[],
): Promise<void> {
  await db.query({
    name: "queue-notify",
    text: "select pg_notify($1, topic) from unnest($2::text[]) as topic",
    values: [channel, topics],
  });
}

/** Writes the batches down for whoever listens to their event types. */
export async function publishFanout(
  tx: Queryable,
  types: readonly string[],
  batches: readonly string[],
): Promise<void> {
  await tx.query({
    name: "fanout-publish",
    text: "select fanout_publish($1, $2)",
    values: [types, batches],
  });
}

/**
 * Says that the subscriber still listens; false when it was silent for so long that it may have
 * missed something.
 */
export async function touchSubscriber(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "fanout-touch",
    text: `update fanout_subscriber set seen_at = now()
           where id = $1 and seen_at > now() - interval '45 seconds'`,
    values: [id],
  });
  return rowCount > 0;
}

/** Begins to listen and answers the position after which everything will be there. */
export async function addSubscriber(
  db: Queryable,
  o: { id: string; name: string; type: string },
): Promise<string> {
  await db.query({
    text: `insert into fanout_subscriber (id, name, event_type) values ($1, $2, $3)
           on conflict (id) do update set seen_at = now()`,
    values: [o.id, o.name, o.type],
  });
  // Committed by now: whoever publishes from here on sees the row.
  const { rows } = await db.query<{ position: string }>({
    text: "select coalesce(max(position), 0)::text as position from fanout",
  });
  return rows[0]?.position ?? "0";
}

/** Listens no more. */
export async function removeSubscriber(db: Queryable, id: string): Promise<void> {
  await db.query({ text: "delete from fanout_subscriber where id = $1", values: [id] });
}

/** What came after a position, at most 200 rows. */
export async function readFanout(
  db: Queryable,
  type: string,
  after: string,
): Promise<{ position: string; batch: string }[]> {
  const { rows } = await db.query<{ position: string; batch: string }>({
    name: "fanout-read",
    text: `select position::text, batch from fanout
           where event_type = $1 and position > $2 order by fanout.position limit 200`,
    values: [type, after],
  });
  return rows;
}

/** Deletes what every listener has read, or has been silent for too long to ask for. */
export async function pruneFanout(db: Queryable): Promise<void> {
  await db.query({
    text: "delete from fanout where published_at < now() - interval '60 seconds'",
  });
  await db.query({
    text: "delete from fanout_subscriber where seen_at < now() - interval '10 minutes'",
  });
}

/** Messages waiting: due and delayed ones by queue. */
export async function countMessages(
  db: Queryable,
): Promise<{ queue: string; delayed: boolean; messages: number }[]> {
  const { rows } = await db.query<{ queue: string; delayed: boolean; messages: number }>({
    text: `select name as queue, start_after > now() as delayed,
                  sum(case when jsonb_typeof(data -> 'messages') = 'array'
                           then jsonb_array_length(data -> 'messages') else 1 end)::int as messages
           from job where state < 'active' group by 1, 2`,
  });
  return rows;
}

/** The oldest jobs of a dead-letter queue, after a given one; locked when they are to be moved. */
export async function readDeadJobs(
  db: Queryable,
  queue: string,
  o: { limit: number; ids?: readonly string[]; lock?: boolean },
): Promise<DeadJob[]> {
  const { rows } = await db.query<DeadJob>({
    text: `select id, data, created_on as "createdAt" from job
           where name = $1 and state < 'active' and ($3::uuid[] is null or id = any ($3))
           order by created_on, id limit $2 ${o.lock ? "for update skip locked" : ""}`,
    values: [queue, o.limit, o.ids ?? null],
  });
  return rows;
}

/** Asks the database for a sign of life and for the tables of the queue. */
export async function probe(db: Queryable): Promise<void> {
  await db.query({ text: "select from job limit 0" });
}

interface ClaimRow {
  consumer: string;
  queue: string;
  job_ids: string[];
  retry_counts: number[];
}

function toClaim(row: ClaimRow): Claim {
  const jobs = row.job_ids.map((id, index) => ({ id, retryCount: row.retry_counts[index] ?? 0 }));
  return { consumer: row.consumer, queue: row.queue, jobs };
}
