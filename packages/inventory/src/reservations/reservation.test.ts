import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertyOptions } from "@smartcart/testkit";
import type { Known, Reservation, ReserveRequest } from "./reservation.ts";
import {
  decideCommits,
  decideExpiries,
  decideReleases,
  decideReservations,
} from "./reservation.ts";

describe("decideReservations", () => {
  it("takes all lines or none", () => {
    const known = knownOf({ tea: 5, mug: 1 });
    const { decisions, inserts, moves } = decideReservations(known, [
      request("r1", { tea: 2, mug: 2 }),
      request("r2", { tea: 2, mug: 1 }),
    ]);
    expect(decisions).toEqual([
      { kind: "short", lines: [{ productId: "mug", requested: 2, available: 1 }] },
      { kind: "hold" },
    ]);
    expect(inserts.map((r) => r.reservationId)).toEqual(["r2"]);
    expect(moves).toEqual([
      { productId: "mug", available: -1, reserved: 1 },
      { productId: "tea", available: -2, reserved: 2 },
    ]);
  });

  it("gives the last unit to the first request", () => {
    const { decisions } = decideReservations(knownOf({ tea: 1 }), [
      request("r1", { tea: 1 }),
      request("r2", { tea: 1 }),
    ]);
    expect(decisions.map((d) => d.kind)).toEqual(["hold", "short"]);
  });

  it("counts a product that the catalogue does not know as 0 available", () => {
    const { decisions } = decideReservations(knownOf({}), [request("r1", { gone: 1 })]);
    expect(decisions).toEqual([
      { kind: "short", lines: [{ productId: "gone", requested: 1, available: 0 }] },
    ]);
  });

  it("adds up lines of the same product", () => {
    const lines = [
      { productId: "tea", quantity: 2 },
      { productId: "tea", quantity: 2 },
    ];
    const { decisions } = decideReservations(knownOf({ tea: 3 }), [
      { reservationId: "r1", lines, ttlMs: 1 },
    ]);
    expect(decisions).toEqual([
      { kind: "short", lines: [{ productId: "tea", requested: 4, available: 3 }] },
    ]);
  });

  it("takes a duplicate id within a batch once, whatever the order of its lines", () => {
    const { decisions, inserts, moves } = decideReservations(knownOf({ tea: 9, mug: 9 }), [
      request("r1", { tea: 2, mug: 1 }),
      request("r1", { mug: 1, tea: 2 }),
      request("r1", { tea: 3 }),
    ]);
    expect(decisions.map((d) => d.kind)).toEqual(["hold", "hold", "other-lines"]);
    expect(inserts).toHaveLength(1);
    expect(moves.map((m) => m.reserved)).toEqual([1, 2]);
  });

  it("answers a known id as it stands, also where nothing is left, and a tombstone whatever is asked", () => {
    const committed = reservation("r1", "COMMITTED", { tea: 2 });
    const tombstone = reservation("r2", "RELEASED", {});
    const known = knownOf({ tea: 0 }, [committed, tombstone]);
    const { decisions, moves } = decideReservations(known, [
      request("r1", { tea: 2 }),
      request("r2", { tea: 1 }),
      request("r1", { tea: 1 }),
    ]);
    expect(decisions).toEqual([
      { kind: "known", reservation: committed },
      { kind: "known", reservation: tombstone },
      { kind: "other-lines" },
    ]);
    expect(moves).toEqual([]);
  });
});

describe("decideCommits", () => {
  it("sells what is held, once", () => {
    const known = knownOf({ tea: 0 }, [reservation("r1", "HELD", { tea: 2 })]);
    const { decisions, changes, moves } = decideCommits(known, ["r1", "r1"]);
    expect(decisions.map((d) => d.kind)).toEqual(["committed", "committed"]);
    expect(changes).toHaveLength(1);
    expect(moves).toEqual([]);
  });

  it("takes an expired one from the stock again, or answers what is short", () => {
    const known = knownOf({ tea: 3 }, [
      reservation("r1", "EXPIRED", { tea: 2 }),
      reservation("r2", "EXPIRED", { tea: 2 }),
    ]);
    const { decisions, moves } = decideCommits(known, ["r1", "r2"]);
    expect(decisions[0]).toMatchObject({ kind: "committed", reservation: { status: "COMMITTED" } });
    expect(decisions[1]).toEqual({
      kind: "short",
      lines: [{ productId: "tea", requested: 2, available: 1 }],
    });
    expect(moves).toEqual([{ productId: "tea", available: -2, reserved: 2 }]);
  });

  it("refuses what was released, also after it had expired, and what was never reserved", () => {
    const known = knownOf({ tea: 9 }, [
      reservation("r1", "RELEASED", { tea: 1 }),
      { ...reservation("r2", "EXPIRED", { tea: 1 }), closed: true },
    ]);
    const { decisions, changes } = decideCommits(known, ["r1", "r2", "r3"]);
    expect(decisions.map((d) => d.kind)).toEqual(["released", "released", "unknown"]);
    expect(changes).toEqual([]);
  });
});

describe("decideReleases", () => {
  it("puts held and sold units back, once", () => {
    const known = knownOf({ tea: 0 }, [
      reservation("r1", "HELD", { tea: 1 }),
      reservation("r2", "COMMITTED", { tea: 2 }),
    ]);
    const { released, moves } = decideReleases(known, ["r1", "r2", "r1"]);
    expect(released.map((r) => r.status)).toEqual(["RELEASED", "RELEASED", "RELEASED"]);
    expect(moves).toEqual([{ productId: "tea", available: 3, reserved: -3 }]);
  });

  it("leaves a tombstone for an unknown id", () => {
    const { released, tombstones, changes } = decideReleases(knownOf({}), ["r1", "r1"]);
    expect(released.map((r) => r.status)).toEqual(["RELEASED", "RELEASED"]);
    expect(tombstones).toEqual(["r1"]);
    expect(changes).toEqual([]);
  });

  it("answers EXPIRED for what time released, and closes it", () => {
    const known = knownOf({ tea: 1 }, [reservation("r1", "EXPIRED", { tea: 1 })]);
    const { released, changes, moves } = decideReleases(known, ["r1"]);
    expect(released).toMatchObject([{ status: "EXPIRED" }]);
    expect(changes).toMatchObject([{ status: "EXPIRED", closed: true }]);
    expect(moves).toEqual([]);
  });
});

it("decideExpiries puts held units back", () => {
  expect(decideExpiries([reservation("r1", "HELD", { tea: 2, mug: 1 })]).moves).toEqual([
    { productId: "mug", available: 1, reserved: -1 },
    { productId: "tea", available: 2, reserved: -2 },
  ]);
});

it("no batch takes more than there is, and every move adds up to 0", () => {
  const productIds = ["a", "b", "c"] as const;
  const lines = fc.uniqueArray(
    fc.record({
      productId: fc.constantFrom(...productIds),
      quantity: fc.integer({ min: 1, max: 6 }),
    }),
    { selector: (line) => line.productId, minLength: 1 },
  );
  const requests = fc.array(
    fc.record({ reservationId: fc.constantFrom("1", "2", "3", "4", "5"), lines, ttlMs: fc.nat() }),
    { maxLength: 20 },
  );
  const stock = fc.record({ a: fc.nat(20), b: fc.nat(20), c: fc.nat(20) });
  fc.assert(
    fc.property(stock, requests, (available, batch) => {
      const known = knownOf(available);
      const { moves, inserts } = decideReservations(known, batch);
      for (const move of moves) {
        expect(move.available + move.reserved).toBe(0);
        expect((known.available.get(move.productId) ?? 0) + move.available).toBeGreaterThanOrEqual(
          0,
        );
      }
      const held = inserts.flatMap((r) => r.lines).reduce((sum, line) => sum + line.quantity, 0);
      expect(moves.reduce((sum, move) => sum + move.reserved, 0)).toBe(held);
    }),
    propertyOptions(),
  );
});

function knownOf(stock: Record<string, number>, reservations: Reservation[] = []): Known {
  return {
    available: new Map(Object.entries(stock)),
    reservations: new Map(reservations.map((r) => [r.reservationId, r])),
  };
}

function linesOf(lines: Record<string, number>) {
  return Object.entries(lines).map(([productId, quantity]) => ({ productId, quantity }));
}

function request(reservationId: string, lines: Record<string, number>): ReserveRequest {
  return { reservationId, lines: linesOf(lines), ttlMs: 1000 };
}

function reservation(
  reservationId: string,
  status: Reservation["status"],
  lines: Record<string, number>,
): Reservation {
  return { reservationId, lines: linesOf(lines), status, closed: false, expiresAt: new Date(0) };
}
