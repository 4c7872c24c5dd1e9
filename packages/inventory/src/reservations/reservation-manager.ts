import type { Database, Queryable } from "@smartcart/store";
import {
  createCoalescer,
  isCheckViolation,
  isUniqueViolation,
  withTransaction,
} from "@smartcart/store";
import { totals } from "../stock/stock-ledger.ts";
import { findOverdue, lockOverdue } from "../store/expiries.ts";
import { lockReservations, readReservations } from "../store/read-reservations.ts";
import {
  commitHeld,
  deleteReservations,
  holdAll,
  insertHolds,
  insertTombstones,
  lockStock,
  lockStockOf,
  updateReservations,
} from "../store/write-reservations.ts";
import type { Known, Reservation, ReservationChange, ReserveRequest } from "./reservation.ts";
import {
  decideCommits,
  decideExpiries,
  decideReleases,
  decideReservations,
} from "./reservation.ts";
import type { Outcome } from "./reservation-outcome.ts";
import { answer, commitOutcome, reserveOutcome } from "./reservation-outcome.ts";

/**
 * The reservations of all products. Concurrent calls of a method are combined into one transaction of a few statements,
 * in which each stands or falls alone. All methods are idempotent, and safe with several processes on one database.
 */
export interface ReservationManager {
  /** Reserves all lines or none. Rejects with RESERVATION_EXISTS where the id has other lines. */
  reserve(request: ReserveRequest): Promise<Outcome>;
  /** Sells what was set aside. Rejects with RESERVATION_NOT_FOUND or RESERVATION_RELEASED. */
  commit(reservationId: string): Promise<Outcome>;
  /** Puts units back; an unknown id is remembered as released. */
  release(reservationId: string): Promise<Reservation>;
  /** Deletes what is not held any more among these; what was sold leaves the stock's total. */
  delete(reservationIds: readonly string[]): Promise<void>;
  /** Releases the units of up to `limit` reservations that have expired. Answers how many. */
  expire(limit: number): Promise<number>;
}

/** Requests of one transaction at most: as many as a batch call may bring. */
const maxItems = 256;
/** Transactions under way at once per method: while one commits, the next already waits for its locks. */
const maxConcurrent = 2;

/**
 * Creates the manager on a database. `onChange` is called after stock moved, `onHeld` after units were set aside, with the shortest
 * time to live among them, in milliseconds.
 */
export function createReservationManager(o: {
  readonly database: Database;
  readonly onChange: () => void;
  readonly onHeld?: (ttlMs: number) => void;
  /** Called for each reservation that expired and whose units were released. */
  readonly onExpired?: (reservationId: string) => void;
}): ReservationManager {
  const { database, onChange, onHeld, onExpired } = o;

  const coalesce = <I, O>(
    name: string,
    decide: (tx: Queryable, items: readonly I[]) => Promise<(O | Error)[]>,
  ) =>
    createCoalescer<I, O>({
      name: `inventory.${name}`,
      maxItems,
      maxConcurrent,
      run: async (items) => {
        const results = await transact(database, name, (tx) => decide(tx, items));
        onChange();
        return results;
      },
    });

  const holdAtOnce = createHoldAtOnce(database);
  return {
    reserve: createCoalescer<ReserveRequest, Outcome>({
      name: "inventory.reserve",
      maxItems,
      maxConcurrent,
      async run(requests) {
        const results =
          (await holdAtOnce(requests)) ??
          (await transact(database, "reserve", (tx) => reserveAll(tx, requests)));
        onHeld?.(Math.min(...requests.map(({ ttlMs }) => ttlMs)));
        onChange();
        return results;
      },
    }),
    commit: createCoalescer<string, Outcome>({
      name: "inventory.commit",
      maxItems,
      maxConcurrent,
      run: (ids) => commitAtOnce(database, ids, onChange),
    }),
    release: coalesce<string, Reservation>("release", releaseAll),
    delete: (ids) =>
      transact(database, "delete", async (tx) => {
        // Stock before reservations, as everywhere, so that nothing deadlocks.
        await lockStockOf(tx, ids);
        await deleteReservations(tx, ids);
      }),
    async expire(limit) {
      const expired = await expireOverdue(database, limit);
      if (expired.length > 0) onChange();
      for (const { reservationId } of expired) onExpired?.(reservationId);
      return expired.length;
    },
  };
}

/** How long every batch is decided line by line after one that could not be held at once, in milliseconds. */
const contendedMs = 1_000;

/**
 * The way of nearly every batch: one statement, one round trip, and the stock rows locked for no longer than that. The answer is
 * undefined, and nothing was written, where a product falls short or an id is known; then the batch is decided
 * request by request, and so are those that follow for a while, since a product that is sold out stays it.
 */
function createHoldAtOnce(
  database: Database,
): (requests: readonly ReserveRequest[]) => Promise<Outcome[] | undefined> {
  let contendedUntil = 0;
  return async (requests) => {
    if (performance.now() < contendedUntil) return undefined;
    const ids = unique(requests.map((request) => request.reservationId));
    const expiries =
      ids.length === requests.length ? await tryToHold(database, requests) : noExpiries;
    if (expiries.size < requests.length) {
      contendedUntil = performance.now() + contendedMs;
      return undefined;
    }
    return requests.map(({ reservationId, lines }) => {
      const expiresAt = expiries.get(reservationId);
      return answer({ reservationId, lines, status: "HELD", closed: false, expiresAt });
    });
  };
}

async function tryToHold(
  database: Database,
  requests: readonly ReserveRequest[],
): Promise<ReadonlyMap<string, Date>> {
  const taken = totals(requests.flatMap((request) => request.lines));
  try {
    return await holdAll(database, requests, taken);
  } catch (error) {
    // Under contention the statement can find units that another one has taken by the time it takes them itself. The table refuses
    // that, nothing is written, and the batch is decided again under locks that were taken before.
    if (isUniqueViolation(error) || isCheckViolation(error)) return noExpiries;
    throw error;
  }
}

/** Sells what is held, in one statement; the few that are not held are decided under lock. */
async function commitAtOnce(
  database: Database,
  ids: readonly string[],
  onChange: () => void,
): Promise<(Outcome | Error)[]> {
  const committed = await commitHeld(database, ids);
  const others = ids.filter((id) => !committed.has(id));
  if (others.length === 0) return ids.map((id) => answer(committed.get(id) as Reservation));
  const decided = await transact(database, "commit", (tx) => commitAll(tx, others));
  onChange();
  return ids.map((id) => {
    const reservation = committed.get(id);
    return reservation ? answer(reservation) : (decided[others.indexOf(id)] as Outcome | Error);
  });
}

const noExpiries: ReadonlyMap<string, Date> = new Map();

async function reserveAll(
  tx: Queryable,
  requests: readonly ReserveRequest[],
): Promise<(Outcome | Error)[]> {
  const ids = unique(requests.map((request) => request.reservationId));
  const products = unique(
    requests.flatMap((request) => request.lines.map((line) => line.productId)),
  );
  const available = await lockStock(tx, products);
  // Read after the locks: a concurrent call with the same id and lines has then either finished or not begun.
  const reservations = await readReservations(tx, ids);
  const { decisions, inserts, moves } = decideReservations({ available, reservations }, requests);
  const expiries = inserts.length > 0 ? await insertHolds(tx, inserts, moves) : noExpiries;
  if (expiries.size < inserts.length) throw new StaleReadError();

  return decisions.map((decision, index) =>
    reserveOutcome(decision, requests[index] as ReserveRequest, expiries),
  );
}

async function commitAll(tx: Queryable, ids: readonly string[]): Promise<(Outcome | Error)[]> {
  const known = await lockKnown(tx, ids);
  const { decisions, changes, moves } = decideCommits(known, ids);
  if (changes.length > 0) await updateReservations(tx, changes, moves);
  return decisions.map((decision, index) => commitOutcome(decision, ids[index] as string));
}

async function releaseAll(tx: Queryable, ids: readonly string[]): Promise<Reservation[]> {
  const known = await lockKnown(tx, ids);
  const { released, tombstones, changes, moves } = decideReleases(known, ids);
  if (changes.length > 0) await updateReservations(tx, changes, moves);
  if (tombstones.length > 0) {
    const written = await insertTombstones(tx, tombstones);
    if (written < tombstones.length) throw new StaleReadError();
  }
  return released;
}

async function expireOverdue(database: Database, limit: number) {
  const ids = await findOverdue(database, limit);
  return ids.length === 0 ? [] : transact(database, "expire", (tx) => expireAll(tx, ids));
}

async function expireAll(
  tx: Queryable,
  ids: readonly string[],
): Promise<readonly ReservationChange[]> {
  await lockStockOf(tx, ids);
  const overdue = await lockOverdue(tx, ids);
  const { changes, moves } = decideExpiries(overdue);
  if (changes.length > 0) await updateReservations(tx, changes, moves);
  return changes;
}

/** Locks the stock of some reservations, then the reservations. */
async function lockKnown(tx: Queryable, ids: readonly string[]): Promise<Known> {
  const available = await lockStockOf(tx, unique(ids));
  const reservations = await lockReservations(tx, unique(ids));
  // One that was made between the two statements has stock that is not locked: look again.
  for (const { lines } of reservations.values()) {
    if (!lines.every((line) => available.has(line.productId))) throw new StaleReadError();
  }
  return { available, reservations };
}

/** Another transaction wrote what this one had just not found. */
class StaleReadError extends Error {
  override readonly name = "StaleReadError";
}

/** Attempts before a stale read is an error; the second one already sees what the first one ran into. */
const maxAttempts = 5;

/** Runs a transaction, and repeats it where it fails with a StaleReadError. */
async function transact<T>(
  database: Database,
  name: string,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await withTransaction(database, `inventory.${name}`, work);
    } catch (error) {
      if (!(error instanceof StaleReadError) || attempt === maxAttempts) throw error;
    }
  }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
