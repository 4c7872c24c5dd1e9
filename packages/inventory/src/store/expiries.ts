/** Statements that find the holds whose time is over. */
import type { Queryable } from "@smartcart/store";
import type { Reservation } from "../reservation.ts";
import type { ReservationRow } from "./reservation-row.ts";
import { selectReservations, toReservation } from "./reservation-row.ts";

/** In how many milliseconds the time of a hold is over, by the database's clock; 0 where one's is, Infinity where there is none. */
export async function nextExpiryInMs(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "inventory.next_expiry",
    text: `SELECT greatest(0, extract(epoch FROM expires_at - now()) * 1000)::float8 AS ms
      FROM reservation WHERE status = 'HELD' ORDER BY expires_at LIMIT 1`,
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Finds holds whose time is over by the database's clock, the oldest first. A hint only: nothing is locked. */
export async function findOverdue(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ reservation_id: string }>({
    name: "inventory.find_overdue",
    text: `SELECT reservation_id FROM reservation
      WHERE status = 'HELD' AND expires_at <= now() ORDER BY expires_at LIMIT $1`,
    values: [limit],
  });
  return rows.map((row) => row.reservation_id);
}

/** Locks those of the given ids that are still held and overdue; what another transaction works on is left to it. */
export async function lockOverdue(tx: Queryable, ids: readonly string[]): Promise<Reservation[]> {
  const { rows } = await tx.query<ReservationRow>({
    name: "inventory.lock_overdue",
    text: `${selectReservations}
      WHERE reservation_id = ANY($1::text[]) AND status = 'HELD' AND expires_at <= now()
      ORDER BY reservation_id FOR UPDATE SKIP LOCKED`,
    values: [ids],
  });
  return rows.map(toReservation);
}
