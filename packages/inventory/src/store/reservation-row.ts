import type { Reservation, ReservationStatus } from "../reservations/reservation.ts";
import type { Line } from "../stock/stock-ledger.ts";

/** A row of table `reservation`, as {@link selectReservations} reads it. */
export interface ReservationRow {
  reservation_id: string;
  lines: Line[];
  status: ReservationStatus;
  closed: boolean;
  expires_at: Date | null;
}

export const selectReservations = `
  select reservation_id, lines, status, closed, expires_at from reservation`;

export function toReservation(row: ReservationRow): Reservation {
  return {
    reservationId: row.reservation_id,
    lines: row.lines,
    status: row.status,
    closed: row.closed,
    expiresAt: row.expires_at ?? undefined,
  };
}
