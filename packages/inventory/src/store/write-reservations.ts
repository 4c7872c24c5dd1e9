/** Statements that write reservations and move the units of their stock, and the locks of that stock. */
import type { Queryable } from "@smartcart/store";
import type { Reservation, ReservationChange, ReserveRequest } from "../reservation.ts";
import type { Line, StockMove } from "../stock-ledger.ts";
import { toAvailable } from "./read-stock.ts";
import type { ReservationRow } from "./reservation-row.ts";
import { toReservation } from "./reservation-row.ts";

// Whatever writes takes its locks in one order: stock rows by product id, then reservation rows by id, then new ids in ascending
// order. No two statements of the service can therefore deadlock.

/** Locks the stock of some products, in the order of their ids, and reads the units available. */
export async function lockStock(
  tx: Queryable,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ product_id: string; available: number }>({
    name: "inventory.lock_stock",
    text: `SELECT product_id, available FROM stock
      WHERE product_id = ANY($1::text[]) ORDER BY product_id FOR UPDATE`,
    values: [productIds],
  });
  return toAvailable(rows);
}

/** Locks the stock of all products on the lines of some reservations. Lines never change, so reading them needs no lock. */
export async function lockStockOf(
  tx: Queryable,
  reservationIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ product_id: string; available: number }>({
    name: "inventory.lock_stock_of",
    text: `SELECT product_id, available FROM stock
      WHERE product_id IN (
        SELECT line->>'productId' FROM reservation, jsonb_array_elements(lines) AS line
        WHERE reservation_id = ANY($1::text[]))
      ORDER BY product_id FOR UPDATE`,
    values: [reservationIds],
  });
  return toAvailable(rows);
}

/**
 * Sets aside what a whole batch asks for, in one statement, where all of it is available and none of the ids exists. Answers
 * the expiry per id; nothing where something fell short, and then nothing was written.
 * @throws a unique violation where an id exists; then nothing was written either.
 */
export async function holdAll(
  db: Queryable,
  holds: readonly ReserveRequest[],
  taken: readonly Line[],
): Promise<Map<string, Date>> {
  const { rows } = await db.query<{ reservation_id: string; expires_at: Date }>({
    name: "inventory.hold_all",
    // The units are compared under the lock that they are then changed under: the update sees the locked version of each row.
    text: `WITH taken AS MATERIALIZED (
        SELECT s.product_id, wanted.units, s.available >= wanted.units AS enough
        FROM stock s JOIN unnest($1::text[], $2::int[]) AS wanted (product_id, units) USING (product_id)
        ORDER BY s.product_id FOR UPDATE OF s
      ), possible AS MATERIALIZED (
        SELECT count(*) = cardinality($1) AND bool_and(enough) AS all_of_it FROM taken
      ), moved AS (
        UPDATE stock s SET available = s.available - taken.units, reserved = s.reserved + taken.units,
                           version = s.version + 1
        FROM taken, possible WHERE s.product_id = taken.product_id AND possible.all_of_it
      )
      INSERT INTO reservation (reservation_id, lines, status, expires_at)
      SELECT id, lines, 'HELD', now() + ttl_ms * interval '1 millisecond'
      FROM unnest($3::text[], $4::jsonb[], $5::bigint[]) AS hold (id, lines, ttl_ms), possible
      WHERE possible.all_of_it ORDER BY id
      RETURNING reservation_id, expires_at`,
    values: [
      taken.map((line) => line.productId),
      taken.map((line) => line.quantity),
      holds.map((hold) => hold.reservationId),
      holds.map((hold) => JSON.stringify(hold.lines)),
      holds.map((hold) => hold.ttlMs),
    ],
  });
  return new Map(rows.map((row) => [row.reservation_id, row.expires_at]));
}

/**
 * Sells those of the given reservations that are held, in one statement; no stock moves. Answers them as they stand now; the
 * others were left as they are.
 */
export async function commitHeld(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, Reservation>> {
  const { rows } = await db.query<ReservationRow>({
    name: "inventory.commit_held",
    text: `WITH held AS (
        SELECT reservation_id AS id FROM reservation
        WHERE reservation_id = ANY($1::text[]) AND status = 'HELD' ORDER BY reservation_id FOR UPDATE)
      UPDATE reservation SET status = 'COMMITTED', updated_at = now()
      FROM held WHERE reservation_id = held.id AND status = 'HELD'
      RETURNING reservation_id, lines, status, closed, expires_at`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.reservation_id, toReservation(row)]));
}

/**
 * Writes new holds and moves their units. Answers the expiry per id; an id that another transaction wrote in the
 * meantime is missing from the answer, and then the whole transaction has to be undone: its units were moved.
 */
export async function insertHolds(
  tx: Queryable,
  holds: readonly ReserveRequest[],
  moves: readonly StockMove[],
): Promise<Map<string, Date>> {
  const { rows } = await tx.query<{ reservation_id: string; expires_at: Date }>({
    name: "inventory.insert_holds",
    text: `WITH ${moveStock}
      INSERT INTO reservation (reservation_id, lines, status, expires_at)
      SELECT id, lines, 'HELD', now() + ttl_ms * interval '1 millisecond'
      FROM unnest($4::text[], $5::jsonb[], $6::bigint[]) AS hold (id, lines, ttl_ms)
      ORDER BY id
      ON CONFLICT (reservation_id) DO NOTHING
      RETURNING reservation_id, expires_at`,
    values: [
      ...moveValues(moves),
      holds.map((hold) => hold.reservationId),
      holds.map((hold) => JSON.stringify(hold.lines)),
      holds.map((hold) => hold.ttlMs),
    ],
  });
  return new Map(rows.map((row) => [row.reservation_id, row.expires_at]));
}

/** Writes tombstones for unknown ids. Answers how many were new. */
export async function insertTombstones(tx: Queryable, ids: readonly string[]): Promise<number> {
  const { rowCount } = await tx.query({
    name: "inventory.insert_tombstones",
    text: `INSERT INTO reservation (reservation_id, lines, status)
      SELECT id, '[]', 'RELEASED' FROM unnest($1::text[]) AS id ORDER BY id
      ON CONFLICT (reservation_id) DO NOTHING`,
    values: [ids],
  });
  return rowCount;
}

/** Writes what became of locked reservations and moves their units. */
export async function updateReservations(
  tx: Queryable,
  changes: readonly ReservationChange[],
  moves: readonly StockMove[],
): Promise<void> {
  await tx.query({
    name: "inventory.update_reservations",
    text: `WITH ${moveStock}
      UPDATE reservation r SET status = change.status, closed = change.closed, updated_at = now()
      FROM unnest($4::text[], $5::text[], $6::boolean[]) AS change (id, status, closed)
      WHERE r.reservation_id = change.id`,
    values: [
      ...moveValues(moves),
      changes.map((change) => change.reservationId),
      changes.map((change) => change.status),
      changes.map((change) => change.closed),
    ],
  });
}

/**
 * Deletes those of the given reservations that are not held, and takes what they sold out of the stock's total: `initial` is what the
 * stock was given for the orders that are still stored. The caller holds the locks of their stock.
 */
export async function deleteReservations(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: "inventory.delete_reservations",
    text: `WITH deleted AS (
        DELETE FROM reservation WHERE reservation_id = ANY($1::text[]) AND status <> 'HELD'
        RETURNING lines, status
      ), sold AS (
        SELECT line->>'productId' AS product_id, sum((line->>'quantity')::int)::int AS units
        FROM deleted, jsonb_array_elements(lines) AS line WHERE status = 'COMMITTED' GROUP BY 1
      )
      UPDATE stock s SET initial = s.initial - sold.units, reserved = s.reserved - sold.units
      FROM sold WHERE s.product_id = sold.product_id`,
    values: [ids],
  });
}

/** The part of a statement that moves the units of locked stock rows; its values are {@link moveValues}. */
const moveStock = `moved AS (
        UPDATE stock s SET available = s.available + move.available, reserved = s.reserved + move.reserved,
                           version = s.version + 1
        FROM unnest($1::text[], $2::int[], $3::int[]) AS move (product_id, available, reserved)
        WHERE s.product_id = move.product_id)`;

function moveValues(moves: readonly StockMove[]): unknown[] {
  return [
    moves.map((move) => move.productId),
    moves.map((move) => move.available),
    moves.map((move) => move.reserved),
  ];
}
