/** The SQL of claims: which consumer processes which messages, and whether it is alive. All of it runs in schema `queue`. */
import type { Queryable } from "@smartcart/store";
import { wakeChannel } from "./message-store.ts";

/** Releases the messages that a consumer has claimed. */
export async function releaseClaim(db: Queryable, consumer: string): Promise<void> {
  await db.query({
    name: "queue-release",
    text: "delete from claim where consumer = $1",
    values: [consumer],
  });
}

/** The claim of a consumer that has died. */
interface AbandonedClaim {
  readonly consumer: string;
  readonly queue: string;
  readonly messages: number;
}

/**
 * Releases the claims of dead consumers, and counts them as deliveries without an outcome. A consumer is dead when no session holds
 * the advisory lock on its bus number: PostgreSQL releases it with the connection, so a crash is detected without a time-out.
 */
export async function releaseAbandoned(db: Queryable): Promise<AbandonedClaim[]> {
  const { rows } = await db.query<AbandonedClaim>({
    name: "queue-release-abandoned",
    text: `with abandoned as (
             delete from claim where not exists (
               select from pg_locks
               where locktype = 'advisory' and granted
                 and database = (select oid from pg_database where datname = current_database())
                 and classid = ${instanceLockClass} and objid = claim.instance::oid and objsubid = 2)
             returning consumer, queue, positions
           ), counted as (
             update message m set deliveries = m.deliveries + 1 from abandoned a
             where m.queue = a.queue and m.position = any (a.positions)
           )
           select consumer, queue, cardinality(positions) as messages, pg_notify($1, queue) from abandoned`,
    values: [wakeChannel],
  });
  return rows;
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

/** Which topics have new messages, and whether a consumer of another bus has claimed messages. */
export async function look(
  session: Queryable,
  o: { instance: number; topics: readonly string[] },
): Promise<{ topics: readonly string[]; othersAtWork: boolean }> {
  const { rows } = await session.query<{ topics: string[]; othersAtWork: boolean }>({
    name: "queue-look",
    text: `select
             array(
               select topic from unnest($1::text[]) as topic
               where exists (select from message where queue = topic)
                  or exists (select from message where queue = topic || '.retry' and due_at < now() + interval '10 seconds')
                  or exists (
                    select from fanout
                    where topic = 'fanout:' || event_type and published_at > now() - interval '10 seconds')
             ) as topics,
             exists (select from claim where instance <> $2) as "othersAtWork"`,
    values: [o.topics, o.instance],
  });
  return rows[0] ?? { topics: [], othersAtWork: false };
}
