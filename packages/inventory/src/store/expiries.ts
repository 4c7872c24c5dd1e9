/** Statements that find the holds whose time is over. */
import type { Queryable } from "@smartcart/store";
import type { Reservation } from "../reservations/reservation.ts";
import type { ReservationRow } from "./reservation-row.ts";
import { selectReservations, toReservation } from "./reservation-row.ts";

/** In how many milliseconds the time of a hold is over, by the database's clock; 0 where one's is, Infinity where there is none. */
export async function nextExpiryInMs(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "inventory.next_expiry",
    text: `select greatest(0, extract(epoch from expires_at - now()) * 1000)::float8 as ms
      from reservation where status = 'HELD' order by expires_at limit 1`,
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Finds holds whose time is over by the database's clock, the oldest first. Nothing is locked, so each may change before it is handled. */
export async function findOverdue(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ reservation_id: string }>({
    name: "inventory.find_overdue",
    text: `select reservation_id from reservation
      where status = 'HELD' and expires_at <= now() order by expires_at limit $1`,
    values: [limit],
  });
  return rows.map((row) => row.reservation_id);
}

/** Locks those of the given ids that are still held and overdue; what another transaction works on is left to it. */
export async function lockOverdue(tx: Queryable, ids: readonly string[]): Promise<Reservation[]> {
  const { rows } = await tx.query<ReservationRow>({
    name: "inventory.lock_overdue",
    text: `${selectReservations}
      where reservation_id = any($1::text[]) and status = 'HELD' and expires_at <= now()
      order by reservation_id for update skip locked`,
    values: [ids],
  });
  return rows.map(toReservation);
}
