import type { Logger } from "@smartcart/runtime";
import type { ReservationManager } from "./reservation-manager.ts";
import type { Outcome } from "./reservation-outcome.ts";

/** The same manager; each of its decisions is a line in the log with the order's id, which a reservation has as its own. */
export function logDecisions(reservations: ReservationManager, log: Logger): ReservationManager {
  const note = (orderId: string, outcome: Outcome): Outcome => {
    if (outcome.kind === "shortage") {
      const short = outcome.lines.map(({ productId }) => productId).join(", ");
      log.info("inventory.short", { orderId, message: `not enough in stock of ${short}` });
    } else noteStatus(log, orderId, outcome.reservation.status);
    return outcome;
  };
  return {
    ...reservations,
    reserve: async (request) => note(request.reservationId, await reservations.reserve(request)),
    commit: async (reservationId) => note(reservationId, await reservations.commit(reservationId)),
    async release(reservationId) {
      const reservation = await reservations.release(reservationId);
      noteStatus(log, reservationId, reservation.status);
      return reservation;
    },
  };
}

/**
 * "HELD" becomes `inventory.held`. A commit follows from the confirmation of the order, which has a line of its own, and a line in the
 * central log is a row with five indexes and 0.9 KB of WAL: it is for debugging.
 */
export function noteStatus(log: Logger, orderId: string, status: string): void {
  const fields = { orderId, message: `the reservation is ${status}` };
  if (status === "COMMITTED") log.debug("inventory.committed", fields);
  else log.info(`inventory.${status.toLowerCase()}`, fields);
}
