/** The SQL of the fan-out. All of it runs in schema `queue`. */
import type { Queryable } from "@smartcart/store";

/**
 * Stores that the subscriber is alive and has read up to a position; false when it was silent or behind for so long that it may have
 * missed events. Deletes events that are a minute old.
 */
export async function touchSubscriber(
  db: Queryable,
  id: string,
  position: string,
): Promise<boolean> {
  const { rows } = await db.query<{ known: boolean }>({
    name: "fanout-touch",
    text: "select fanout_touch($1, $2) as known",
    values: [id, position],
  });
  return rows[0]?.known === true;
}

/** Adds the subscriber and returns the position after which it finds every event. Idempotent. */
export async function addSubscriber(
  db: Queryable,
  o: { id: string; name: string; type: string },
): Promise<string> {
  await db.query({
    text: `insert into fanout_subscriber (id, name, event_type, position)
           values ($1, $2, $3, coalesce((select max(position) from fanout), 0))
           on conflict (id) do update set seen_at = now(), position = excluded.position`,
    values: [o.id, o.name, o.type],
  });
  // Committed by now: a publish that begins from here on finds the row.
  const { rows } = await db.query<{ position: string }>({
    text: "select coalesce(max(position), 0)::text as position from fanout",
  });
  return rows[0]?.position ?? "0";
}

/** Removes the subscriber. */
export async function removeSubscriber(db: Queryable, id: string): Promise<void> {
  await db.query({ text: "delete from fanout_subscriber where id = $1", values: [id] });
}

/** The events after a position, at most 200. */
export async function readFanout(
  db: Queryable,
  type: string,
  after: string,
): Promise<{ readonly position: string; readonly id: string; readonly body: Buffer }[]> {
  const { rows } = await db.query<{ position: string; id: string; body: Buffer }>({
    name: "fanout-read",
    text: `select position::text, message_id as id, body from fanout
           where event_type = $1 and position > $2 order by fanout.position limit 200`,
    values: [type, after],
  });
  return rows;
}
