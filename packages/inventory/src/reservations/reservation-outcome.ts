/** What decisions about reservations are to their callers. */
import { reservationExists, reservationNotFound, reservationReleased } from "../errors.ts";
import type { ShortLine } from "../stock/stock-ledger.ts";
import type {
  CommitDecision,
  Reservation,
  ReserveDecision,
  ReserveRequest,
} from "./reservation.ts";

/** What became of a reserve or a commit: a shortage is an answer, not an error. */
export type Outcome =
  | { readonly kind: "reservation"; readonly reservation: Reservation }
  | { readonly kind: "shortage"; readonly lines: readonly ShortLine[] };

/**
 * The answer to a reserve. `expiries` holds the time of each new reservation, which the database sets. An id with other lines is
 * RESERVATION_EXISTS.
 */
export function reserveOutcome(
  decision: ReserveDecision,
  { reservationId, lines }: ReserveRequest,
  expiries: ReadonlyMap<string, Date>,
): Outcome | Error {
  switch (decision.kind) {
    case "hold": {
      const expiresAt = expiries.get(reservationId);
      return answer({ reservationId, lines, status: "HELD", closed: false, expiresAt });
    }
    case "known":
      return answer(decision.reservation);
    case "short":
      return { kind: "shortage", lines: decision.lines };
    case "other-lines":
      return reservationExists(reservationId);
  }
}

/** The answer to a commit. RESERVATION_NOT_FOUND and RESERVATION_RELEASED are final. */
export function commitOutcome(decision: CommitDecision, reservationId: string): Outcome | Error {
  switch (decision.kind) {
    case "committed":
      return answer(decision.reservation);
    case "short":
      return { kind: "shortage", lines: decision.lines };
    case "unknown":
      return reservationNotFound(reservationId);
    case "released":
      return reservationReleased(reservationId);
  }
}

export function answer(reservation: Reservation): Outcome {
  return { kind: "reservation", reservation };
}
