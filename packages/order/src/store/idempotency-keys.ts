/** The SQL of idempotency keys, but for their insertion, which is one statement with that of their order (insert-orders.ts). */
import type { Queryable } from "@smartcart/store";
import { unfinished } from "./order-row.ts";

/** An idempotency key. Keys of different users are independent, even if they are equal. */
export interface OwnedKey {
  readonly userId: string;
  readonly key: string;
}

/** A key that was used, and what came of it. */
export interface KnownKey {
  /** SHA-256 of the request. */
  readonly fingerprint: Uint8Array;
  readonly orderId: string;
  /** The first answer, a serialized `Order`; undefined as long as there is none. */
  readonly answer: Uint8Array | undefined;
}

/** What is known of each of these keys; undefined for those that were never used, or were pruned. */
export async function findKeys(
  db: Queryable,
  keys: readonly OwnedKey[],
): Promise<(KnownKey | undefined)[]> {
  const { rows } = await db.query<KeyRow>({
    name: "order.find-keys",
    text: `select wanted.place, k.fingerprint, k.order_id, k.answer
           from unnest($1::text[], $2::text[]) with ordinality as wanted(user_id, idempotency_key, place)
           join idempotency_keys k using (user_id, idempotency_key)`,
    values: [keys.map(({ userId }) => userId), keys.map(({ key }) => key)],
  });
  const known = new Map(rows.map((row) => [Number(row.place), keyFromRow(row)]));
  return keys.map((_, index) => known.get(index + 1));
}

/** Stores the answer to a key unless it has one, and answers the one that it has then. */
export async function storeAnswer(
  db: Queryable,
  { userId, key }: OwnedKey,
  answer: Uint8Array,
): Promise<Uint8Array> {
  const { rows } = await db.query<{ answer: Buffer }>({
    name: "order.store-answer",
    text: `update idempotency_keys
           set answer = coalesce(answer, $3), answered_at = coalesce(answered_at, now())
           where user_id = $1 and idempotency_key = $2 returning answer`,
    values: [userId, key, answer],
  });
  return rows[0]?.answer ?? answer;
}

/**
 * Deletes up to `limit` keys that are older than `ageMs`, the oldest first, and answers how many. A key that has no answer yet, or whose
 * order the saga is not done with, stays whatever its age. Several processes may prune at once.
 */
export async function pruneKeys(db: Queryable, ageMs: number, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: "order.prune-keys",
    text: `delete from idempotency_keys where ctid = any (array(
             select k.ctid from idempotency_keys k
             where k.created_at < now() - $1::bigint * interval '1 millisecond' and k.answer is not null
               and not exists (select from orders where orders.order_id = k.order_id and ${unfinished})
             order by k.created_at limit $2 for update skip locked))`,
    values: [ageMs, limit],
  });
  return rowCount;
}

interface KeyRow {
  place: string;
  fingerprint: Buffer;
  order_id: string;
  answer: Buffer | null;
}

function keyFromRow(row: KeyRow): KnownKey {
  return {
    fingerprint: row.fingerprint,
    orderId: row.order_id,
    answer: row.answer ?? undefined,
  };
}
