/** Statements that read and lock reservations. */
import type { Queryable } from "@smartcart/store";
import type { Reservation } from "../reservations/reservation.ts";
import type { ReservationRow } from "./reservation-row.ts";
import { selectReservations, toReservation } from "./reservation-row.ts";

/** Reads reservations by id, without a lock. */
export async function readReservations(
  tx: Queryable,
  ids: readonly string[],
): Promise<Map<string, Reservation>> {
  const { rows } = await tx.query<ReservationRow>({
    name: "inventory.read_reservations",
    text: `${selectReservations} where reservation_id = any($1::text[])`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.reservation_id, toReservation(row)]));
}

/** Reads reservations by id and locks them, in the order of their ids. */
export async function lockReservations(
  tx: Queryable,
  ids: readonly string[],
): Promise<Map<string, Reservation>> {
  const { rows } = await tx.query<ReservationRow>({
    name: "inventory.lock_reservations",
    text: `${selectReservations}
      where reservation_id = any($1::text[]) order by reservation_id for update`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.reservation_id, toReservation(row)]));
}
