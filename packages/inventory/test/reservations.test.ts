import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { problemOf } from "@smartcart/mesh";
import { errorOf } from "@smartcart/testkit";
import type { TestInventory } from "./support.ts";
import { brokenStock, eventually, newId, startTestInventory, stockOf } from "./support.ts";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory({ RESERVATION_SWEEP_MS: "20" });
});
afterEach(async () => expect(await brokenStock(inventory.sql)).toEqual([]));
afterAll(() => inventory[Symbol.asyncDispose]());

describe("Reserve", () => {
  it("sets all lines aside until they expire", async () => {
    const { client, sql } = inventory;
    const [a, b] = [await inventory.addProduct(5), await inventory.addProduct(5)];
    const reservationId = newId();
    const lines = [
      { productId: b, quantity: 2 },
      { productId: a, quantity: 1 },
    ];
    const before = Date.now();
    const { outcome } = await client.reserve({ reservationId, lines });
    expect(outcome).toMatchObject({
      case: "reservation",
      value: { reservationId, lines, status: ReservationStatus.HELD },
    });
    const expiresAt = outcome.case === "reservation" ? outcome.value.expiresAt : undefined;
    expect(expiresAt && timestampDate(expiresAt).getTime()).toBeGreaterThan(before + 14 * 60_000);
    expect(await stockOf(sql, a)).toEqual({ available: 4, held: 1, committed: 0 });
    expect(await stockOf(sql, b)).toEqual({ available: 3, held: 2, committed: 0 });
  });

  it("takes nothing where one line falls short, and says which", async () => {
    const { client, sql } = inventory;
    const [a, b] = [await inventory.addProduct(5), await inventory.addProduct(1)];
    const { outcome } = await client.reserve({
      reservationId: newId(),
      lines: [
        { productId: a, quantity: 1 },
        { productId: b, quantity: 2 },
        { productId: "no-such-thing", quantity: 1 },
      ],
    });
    expect(outcome).toMatchObject({
      case: "shortage",
      value: {
        lines: [
          { productId: b, requested: 2, available: 1 },
          { productId: "no-such-thing", requested: 1, available: 0 },
        ],
      },
    });
    expect(await stockOf(sql, a)).toEqual({ available: 5, held: 0, committed: 0 });
  });

  it("is idempotent, one by one and at once", async () => {
    const { client, sql } = inventory;
    const productId = await inventory.addProduct(9);
    const request = { reservationId: newId(), lines: [{ productId, quantity: 2 }] };
    await Promise.all([1, 2, 3, 4].map(() => client.reserve(request)));
    const { outcome } = await client.reserve(request);
    expect(outcome).toMatchObject({
      case: "reservation",
      value: { status: ReservationStatus.HELD },
    });
    expect(await stockOf(sql, productId)).toEqual({ available: 7, held: 2, committed: 0 });
  });

  it("refuses other lines under the same id", async () => {
    const { client } = inventory;
    const productId = await inventory.addProduct(9);
    const reservationId = newId();
    await client.reserve({ reservationId, lines: [{ productId, quantity: 2 }] });
    const error = await errorOf(
      client.reserve({ reservationId, lines: [{ productId, quantity: 3 }] }),
    );
    expect(ConnectError.from(error).code).toBe(Code.AlreadyExists);
    expect(problemOf(error)?.code).toBe("RESERVATION_EXISTS");
    expect((error as Error).message).toContain(reservationId);
  });

  it("gives the last unit to exactly one of two processes", async () => {
    const replica = await inventory.addReplica();
    for (let round = 0; round < 20; round++) {
      const productId = await inventory.addProduct(1);
      const outcomes = await Promise.all(
        [inventory.client, replica.client].map((client) =>
          client.reserve({ reservationId: newId(), lines: [{ productId, quantity: 1 }] }),
        ),
      );
      expect(outcomes.map((o) => o.outcome.case).sort()).toEqual(["reservation", "shortage"]);
      expect(await stockOf(inventory.sql, productId)).toMatchObject({ available: 0, held: 1 });
    }
  });

  it("takes one id once that comes from two processes at once, with the same lines or others", async () => {
    const replica = await inventory.addReplica();
    for (let round = 0; round < 20; round++) {
      const [a, b] = [await inventory.addProduct(9), await inventory.addProduct(9)];
      const reservationId = newId();
      const results = await Promise.allSettled([
        inventory.client.reserve({ reservationId, lines: [{ productId: a, quantity: 1 }] }),
        replica.client.reserve({ reservationId, lines: [{ productId: a, quantity: 1 }] }),
        replica.client.reserve({ reservationId, lines: [{ productId: b, quantity: 1 }] }),
      ]);
      const refusals = results.filter((r) => r.status === "rejected").map((r) => r.reason);
      expect(refusals.length).toBeGreaterThan(0);
      for (const error of refusals) expect(problemOf(error)?.code).toBe("RESERVATION_EXISTS");
      const held = await inventory.sql.query<{ held: number }>({
        text: "SELECT sum(held)::int AS held FROM stock_level WHERE product_id = ANY($1)",
        values: [[a, b]],
      });
      expect(held.rows).toEqual([{ held: 1 }]);
    }
  });
});

describe("BatchReserve", () => {
  it("lets each request stand or fall alone, in order, duplicates included", async () => {
    const { client, sql } = inventory;
    const productId = await inventory.addProduct(3);
    const [first, second] = [newId(), newId()];
    const line = (quantity: number) => [{ productId, quantity }];
    const { results } = await client.batchReserve({
      requests: [
        { reservationId: first, lines: line(2) },
        { reservationId: second, lines: line(2) },
        { reservationId: first, lines: line(2) },
        { reservationId: first, lines: line(1) },
      ],
    });
    expect(results.map(({ result }) => describeResult(result))).toEqual([
      "reservation",
      "shortage",
      "reservation",
      `error ${Code.AlreadyExists}`,
    ]);
    expect(await stockOf(sql, productId)).toEqual({ available: 1, held: 2, committed: 0 });
  });
});

describe("CommitReservation", () => {
  it("sells what is held, once", async () => {
    const { client, sql } = inventory;
    const { productId, reservationId } = await hold(2, 9);
    for (let call = 0; call < 2; call++) {
      const { outcome } = await client.commitReservation({ reservationId });
      expect(outcome).toMatchObject({ value: { status: ReservationStatus.COMMITTED } });
    }
    expect(await stockOf(sql, productId)).toEqual({ available: 7, held: 0, committed: 2 });
  });

  it("answers a batch in order", async () => {
    const { client } = inventory;
    const { reservationId } = await hold(1, 9);
    const { results } = await client.batchCommitReservations({
      requests: [{ reservationId: "unknown" }, { reservationId }, { reservationId }],
    });
    expect(results.map(({ result }) => describeResult(result))).toEqual([
      `error ${Code.NotFound}`,
      "reservation",
      "reservation",
    ]);
  });

  it("takes an expired one from the stock again", async () => {
    const { client, sql } = inventory;
    const { productId, reservationId } = await hold(2, 3, 1);
    await eventually(async () =>
      expect(await stockOf(sql, productId)).toEqual({ available: 3, held: 0, committed: 0 }),
    );
    const { outcome } = await client.commitReservation({ reservationId });
    expect(outcome).toMatchObject({ value: { status: ReservationStatus.COMMITTED } });
    expect(await stockOf(sql, productId)).toEqual({ available: 1, held: 0, committed: 2 });
  });

  it("answers a shortage where an expired one's units are gone", async () => {
    const { client, sql } = inventory;
    const { productId, reservationId } = await hold(2, 3, 1);
    await eventually(async () => expect(await stockOf(sql, productId)).toMatchObject({ held: 0 }));
    await client.reserve({ reservationId: newId(), lines: [{ productId, quantity: 2 }] });
    const { outcome } = await client.commitReservation({ reservationId });
    expect(outcome).toMatchObject({
      case: "shortage",
      value: { lines: [{ productId, requested: 2, available: 1 }] },
    });
  });

  it("says NOT_FOUND for an unknown id and FAILED_PRECONDITION for a released one", async () => {
    const { client } = inventory;
    const unknown = await errorOf(client.commitReservation({ reservationId: "nobody" }));
    expect(ConnectError.from(unknown).code).toBe(Code.NotFound);
    expect(problemOf(unknown)?.code).toBe("RESERVATION_NOT_FOUND");
    const { reservationId } = await hold(1, 1);
    await client.releaseReservation({ reservationId });
    const released = await errorOf(client.commitReservation({ reservationId }));
    expect(ConnectError.from(released).code).toBe(Code.FailedPrecondition);
    expect(problemOf(released)?.code).toBe("RESERVATION_RELEASED");
  });
});

describe("ReleaseReservation", () => {
  it("puts held and sold units back, once", async () => {
    const { client, sql } = inventory;
    const { productId, reservationId } = await hold(2, 9);
    const sold = newId();
    await client.reserve({ reservationId: sold, lines: [{ productId, quantity: 3 }] });
    await client.commitReservation({ reservationId: sold });
    for (const id of [reservationId, sold, reservationId, sold]) {
      const { reservation } = await client.releaseReservation({ reservationId: id });
      expect(reservation).toMatchObject({ status: ReservationStatus.RELEASED });
    }
    expect(await stockOf(sql, productId)).toEqual({ available: 9, held: 0, committed: 0 });
  });

  it("remembers an unknown id, so that a late Reserve takes nothing", async () => {
    const { client, sql } = inventory;
    const productId = await inventory.addProduct(9);
    const reservationId = newId();
    await client.releaseReservation({ reservationId });
    const { outcome } = await client.reserve({
      reservationId,
      lines: [{ productId, quantity: 1 }],
    });
    expect(outcome).toMatchObject({
      case: "reservation",
      value: { status: ReservationStatus.RELEASED },
    });
    expect(await stockOf(sql, productId)).toMatchObject({ available: 9 });
  });

  it("closes one that expired, so that a late commit takes nothing", async () => {
    const { client, sql } = inventory;
    const { productId, reservationId } = await hold(1, 1, 1);
    await eventually(async () => expect(await stockOf(sql, productId)).toMatchObject({ held: 0 }));
    const { reservation } = await client.releaseReservation({ reservationId });
    expect(reservation).toMatchObject({ status: ReservationStatus.EXPIRED });
    const error = await errorOf(client.commitReservation({ reservationId }));
    expect(ConnectError.from(error).code).toBe(Code.FailedPrecondition);
  });
});

/** Makes a reservation of a product of which there are so many units. */
async function hold(quantity: number, units: number, ttlMs = 0) {
  const productId = await inventory.addProduct(units);
  const reservationId = newId();
  await inventory.client.reserve({ reservationId, lines: [{ productId, quantity }], ttlMs });
  return { productId, reservationId };
}

function describeResult(result: {
  case?: string | undefined;
  value?: { code: number } | { outcome: { case?: string | undefined } } | undefined;
}): string | undefined {
  if (!result.value) return undefined;
  return "code" in result.value ? `error ${result.value.code}` : result.value.outcome.case;
}

describe("BatchDeleteReservations", () => {
  it("deletes what is not held any more, with the units that were sold, once", async () => {
    const { client, sql } = inventory;
    const productId = await inventory.addProduct(10);
    const lines = [{ productId, quantity: 2 }];
    const [held, sold, released] = [newId(), newId(), newId()];
    for (const reservationId of [held, sold, released])
      await client.reserve({ reservationId, lines });
    await client.commitReservation({ reservationId: sold });
    await client.releaseReservation({ reservationId: released });
    const reservationIds = [held, sold, released, newId()];
    // Twice at once, as two replicas of the order service may.
    await Promise.all([1, 2].map(() => client.batchDeleteReservations({ reservationIds })));
    await client.batchDeleteReservations({ reservationIds });
    const { rows } = await sql.query({
      text: "select initial, available, reserved, (select array_agg(reservation_id) from reservation where reservation_id = any($2)) as left from stock where product_id = $1",
      values: [productId, reservationIds],
    });
    expect(rows).toEqual([{ initial: 8, available: 6, reserved: 2, left: [held] }]);
  });
});
