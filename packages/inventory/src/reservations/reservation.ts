import type { Line, ShortLine, StockMove } from "../stock/stock-ledger.ts";
import { createStockLedger, totals } from "../stock/stock-ledger.ts";

/** A reservation's life: HELD to COMMITTED, RELEASED or EXPIRED; EXPIRED to COMMITTED; COMMITTED to RELEASED. */
export type ReservationStatus = "HELD" | "COMMITTED" | "RELEASED" | "EXPIRED";

/** Stock set aside under an id that the caller chose. */
export interface Reservation {
  readonly reservationId: string;
  /** Empty for a tombstone: an id that was released before it was reserved. */
  readonly lines: readonly Line[];
  readonly status: ReservationStatus;
  /** Released after it had expired. It answers EXPIRED, but it can no longer be committed. */
  readonly closed: boolean;
  readonly expiresAt: Date | undefined;
}

/** Asks to set all lines aside for `ttlMs` milliseconds. */
export interface ReserveRequest {
  readonly reservationId: string;
  readonly lines: readonly Line[];
  readonly ttlMs: number;
}

/** What the database knew when a batch was decided, under lock. */
export interface Known {
  /** Units available per product. */
  readonly available: ReadonlyMap<string, number>;
  /** The reservations that exist, by id. */
  readonly reservations: ReadonlyMap<string, Reservation>;
}

/** A change of a reservation's state, to be written. */
export interface ReservationChange {
  readonly reservationId: string;
  readonly status: ReservationStatus;
  readonly closed: boolean;
}

/** What a reserve comes to. `known`: the id exists with the same lines. `other-lines`: it exists with others, and nothing changes. */
export type ReserveDecision =
  | { readonly kind: "hold" }
  | { readonly kind: "known"; readonly reservation: Reservation }
  | { readonly kind: "short"; readonly lines: readonly ShortLine[] }
  | { readonly kind: "other-lines" };

/**
 * Decides a batch of reservations, greedily in the order of the requests: each takes all of its lines or nothing.
 * An id that exists, or came earlier in the same batch, is answered as it stands; with other lines it is refused.
 * A tombstone has no lines to compare: it answers as RELEASED whatever is asked for.
 */
export function decideReservations(
  known: Known,
  requests: readonly ReserveRequest[],
): { decisions: ReserveDecision[]; inserts: ReserveRequest[]; moves: StockMove[] } {
  const ledger = createStockLedger(known.available);
  const inserts = new Map<string, ReserveRequest>();
  const decisions = requests.map((request): ReserveDecision => {
    const { reservationId, lines } = request;
    const reservation = known.reservations.get(reservationId);
    const earlier = reservation ?? inserts.get(reservationId);
    if (earlier && earlier.lines.length > 0 && !sameLines(earlier.lines, lines)) {
      return { kind: "other-lines" };
    }
    if (reservation) return { kind: "known", reservation };
    if (earlier) return { kind: "hold" };
    const short = ledger.shortages(lines);
    if (short.length > 0) return { kind: "short", lines: short };
    ledger.move(lines, "available", "reserved");
    inserts.set(reservationId, request);
    return { kind: "hold" };
  });
  return { decisions, inserts: [...inserts.values()], moves: ledger.moves() };
}

/** What a commit comes to. `short` happens only to an expired reservation whose units are not available any more. */
export type CommitDecision =
  | { readonly kind: "committed"; readonly reservation: Reservation }
  | { readonly kind: "short"; readonly lines: readonly ShortLine[] }
  | { readonly kind: "unknown" }
  | { readonly kind: "released" };

/**
 * Decides a batch of commits, greedily in order. A held reservation is sold, also when its time is over but the
 * sweeper has not released it yet; an expired one takes its units from the stock again, all or nothing.
 */
export function decideCommits(
  known: Known,
  ids: readonly string[],
): { decisions: CommitDecision[]; changes: ReservationChange[]; moves: StockMove[] } {
  const ledger = createStockLedger(known.available);
  const changed = new Map<string, Reservation>();
  const decisions = ids.map((id): CommitDecision => {
    const reservation = changed.get(id) ?? known.reservations.get(id);
    if (!reservation) return { kind: "unknown" };
    if (reservation.status === "COMMITTED") return { kind: "committed", reservation };
    if (reservation.status === "RELEASED" || reservation.closed) return { kind: "released" };
    if (reservation.status === "EXPIRED") {
      const short = ledger.shortages(reservation.lines);
      if (short.length > 0) return { kind: "short", lines: short };
      ledger.move(reservation.lines, "available", "reserved");
    }
    const committed: Reservation = { ...reservation, status: "COMMITTED" };
    changed.set(id, committed);
    return { kind: "committed", reservation: committed };
  });
  return { decisions, changes: [...changed.values()], moves: ledger.moves() };
}

/**
 * Decides a batch of releases. Units of a held or a sold reservation go back to the stock; an expired one is closed
 * for good; an unknown id becomes a tombstone. The answers stand in the order of `ids`.
 */
export function decideReleases(
  known: Known,
  ids: readonly string[],
): {
  released: Reservation[];
  tombstones: string[];
  changes: ReservationChange[];
  moves: StockMove[];
} {
  const ledger = createStockLedger(known.available);
  const changed = new Map<string, Reservation>();
  const tombstones: string[] = [];
  const released = ids.map((id): Reservation => {
    const reservation = changed.get(id) ?? known.reservations.get(id);
    if (!reservation) {
      tombstones.push(id);
      changed.set(id, tombstone(id));
      return tombstone(id);
    }
    const next = release(reservation);
    if (next === reservation) return reservation;
    if (reservation.status === "HELD" || reservation.status === "COMMITTED") {
      ledger.move(reservation.lines, "reserved", "available");
    }
    changed.set(id, next);
    return next;
  });
  const changes = [...changed.values()].filter((r) => known.reservations.has(r.reservationId));
  return { released, tombstones, changes, moves: ledger.moves() };
}

/** Decides that overdue holds go back to the stock. Only HELD ones may be passed in. */
export function decideExpiries(overdue: readonly Reservation[]): {
  changes: ReservationChange[];
  moves: StockMove[];
} {
  const ledger = createStockLedger(new Map());
  const changes = overdue.map((reservation): ReservationChange => {
    ledger.move(reservation.lines, "reserved", "available");
    return { reservationId: reservation.reservationId, status: "EXPIRED", closed: false };
  });
  return { changes, moves: ledger.moves() };
}

function release(reservation: Reservation): Reservation {
  switch (reservation.status) {
    case "HELD":
    case "COMMITTED":
      return { ...reservation, status: "RELEASED" };
    case "EXPIRED":
      return reservation.closed ? reservation : { ...reservation, closed: true };
    case "RELEASED":
      return reservation;
  }
}

function tombstone(reservationId: string): Reservation {
  return { reservationId, lines: [], status: "RELEASED", closed: false, expiresAt: undefined };
}

/** Whether both ask for the same units; the order of the lines does not matter. */
function sameLines(a: readonly Line[], b: readonly Line[]): boolean {
  const left = totals(a);
  const right = new Map(totals(b).map((line) => [line.productId, line.quantity]));
  return (
    left.length === right.size && left.every((line) => right.get(line.productId) === line.quantity)
  );
}
