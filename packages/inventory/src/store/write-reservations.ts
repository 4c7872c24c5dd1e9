/** Statements that write reservations and move the units of their stock, and the locks of that stock. */
import type { Queryable } from "@smartcart/store";
import type {
  Reservation,
  ReservationChange,
  ReserveRequest,
} from "../reservations/reservation.ts";
import type { Line, StockMove } from "../stock/stock-ledger.ts";
import { toAvailable } from "./read-stock.ts";
import type { ReservationRow } from "./reservation-row.ts";
import { toReservation } from "./reservation-row.ts";

// Whatever writes takes its locks in one order: stock rows by product id, then reservation rows by id, then new ids in ascending
// order. No two statements of the service can therefore deadlock.

/** Locks the stock of some products, in the order of their ids (two batches with the same products must not deadlock), and reads the units available. */
export async function lockStock(
  tx: Queryable,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ product_id: string; available: number }>({
    name: "inventory.lock_stock",
    text: `select product_id, available from stock
      where product_id = any($1::text[]) order by product_id for update`,
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
    text: `select product_id, available from stock
      where product_id in (
        select line->>'productId' from reservation, jsonb_array_elements(lines) as line
        where reservation_id = any($1::text[]))
      order by product_id for update`,
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
    // One round trip instead of five: hot stock rows were locked for all of them, and commits waited for the same rows. The units
    // are compared under the lock that they are then changed under: the update sees the locked version of each row. Both CTEs are
    // materialized so that the rows are locked, in order, before anything is decided.
    text: `with taken as materialized (
        select s.product_id, wanted.units, s.available >= wanted.units as enough
        from stock s join unnest($1::text[], $2::int[]) as wanted (product_id, units) using (product_id)
        where s.product_id = any($1::text[])
        order by s.product_id for update of s
      ), possible as materialized (
        select count(*) = cardinality($1) and bool_and(enough) as all_of_it from taken
      ), moved as (
        update stock s set available = s.available - taken.units, reserved = s.reserved + taken.units,
                           version = s.version + 1
        from taken, possible
        where s.product_id = any($1::text[]) and s.product_id = taken.product_id and possible.all_of_it
      )
      insert into reservation (reservation_id, lines, status, expires_at)
      select id, lines, 'HELD', now() + ttl_ms * interval '1 millisecond'
      from unnest($3::text[], $4::jsonb[], $5::bigint[]) as hold (id, lines, ttl_ms), possible
      where possible.all_of_it order by id
      returning reservation_id, expires_at`,
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
    // Held and sold units share the counter `stock.reserved`, so a commit writes one row and locks no stock. `for update` in the
    // order of the ids prevents deadlocks between batches; an `update` alone locks rows in any order.
    text: `with held as (
        select reservation_id as id from reservation
        where reservation_id = any($1::text[]) and status = 'HELD' order by reservation_id for update)
      update reservation set status = 'COMMITTED', updated_at = now()
      from held
      where reservation_id = any($1::text[]) and reservation_id = held.id and status = 'HELD'
      returning reservation_id, lines, status, closed, expires_at`,
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
    // `do nothing` instead of an error: a unique violation would abort the transaction and hide which id it was.
    text: `with ${moveStock}
      insert into reservation (reservation_id, lines, status, expires_at)
      select id, lines, 'HELD', now() + ttl_ms * interval '1 millisecond'
      from unnest($4::text[], $5::jsonb[], $6::bigint[]) as hold (id, lines, ttl_ms)
      order by id
      on conflict (reservation_id) do nothing
      returning reservation_id, expires_at`,
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
    text: `insert into reservation (reservation_id, lines, status)
      select id, '[]', 'RELEASED' from unnest($1::text[]) as id order by id
      on conflict (reservation_id) do nothing`,
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
    text: `with ${moveStock}
      update reservation r set status = change.status, closed = change.closed, updated_at = now()
      from unnest($4::text[], $5::text[], $6::boolean[]) as change (id, status, closed)
      where r.reservation_id = any($4::text[]) and r.reservation_id = change.id`,
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
    text: `with deleted as (
        delete from reservation where reservation_id = any($1::text[]) and status <> 'HELD'
        returning lines, status
      ), sold as (
        select line->>'productId' as product_id, sum((line->>'quantity')::int)::int as units
        from deleted, jsonb_array_elements(lines) as line where status = 'COMMITTED' group by 1
      )
      update stock s set initial = s.initial - sold.units, reserved = s.reserved - sold.units
      from sold where s.product_id = sold.product_id`,
    values: [ids],
  });
}

/** The part of a statement that moves the units of locked stock rows; its values are {@link moveValues}. */
const moveStock = `moved as (
        update stock s set available = s.available + move.available, reserved = s.reserved + move.reserved,
                           version = s.version + 1
        from unnest($1::text[], $2::int[], $3::int[]) as move (product_id, available, reserved)
        where s.product_id = any($1::text[]) and s.product_id = move.product_id)`;

function moveValues(moves: readonly StockMove[]): unknown[] {
  return [
    moves.map((move) => move.productId),
    moves.map((move) => move.available),
    moves.map((move) => move.reserved),
  ];
}
