/** What may happen to the stock, each as one step of the service and of its model, whose answers have to agree. */
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { expect } from "vitest";
import type {
  CommitReservationResponse,
  ReserveResponse,
} from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import type { ItemError } from "@smartcart/gen/type/v1/problem_pb";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { problemOf } from "@smartcart/mesh";
import { commandsOptions } from "@smartcart/testkit";
import type { ReservationManager } from "../src/reservations/reservation-manager.ts";
import type { ModelAnswer, ModelLine, ModelStatus, StockModel } from "./stock-model.ts";
import type { TestInventory } from "./support.ts";

/** The service, and a manager on the same database that sweeps when it is told to. */
export interface StockWorld {
  readonly inventory: TestInventory;
  readonly manager: ReservationManager;
}

export const products = ["model-a", "model-b", "model-c", "model-d"] as const;

/** A time to live that passes, and one that does not: no real clock comes near either of them. */
const shortTtlMs = 3_600_000;
const longTtlMs = 86_400_000;
const passingMs = 2 * shortTtlMs;

const id = fc.integer({ min: 1, max: 3 }).map((number) => `order-${number}`);
const ids = fc.array(id, { minLength: 1, maxLength: 4 });
// Most want the same product, so that its last units are what they fight for.
const product = fc.oneof(
  { weight: 10, arbitrary: fc.constant(products[0]) },
  { weight: 10, arbitrary: fc.constantFrom(...products) },
  { weight: 1, arbitrary: fc.constant("no-such-product") },
);
// In any order: the service has to lock in its own.
const lines = fc.uniqueArray(
  fc.record({
    productId: product,
    quantity: fc.integer({ min: 1, max: 3 }),
  }),
  { selector: (line) => line.productId, minLength: 1, maxLength: 2 },
);
const reservation = fc.record({
  reservationId: id,
  lines,
  ttlMs: fc.constantFrom(shortTtlMs, shortTtlMs, longTtlMs),
});
type Reservation = typeof reservation extends fc.Arbitrary<infer T> ? T : never;

/** Any commands of these. */
export const commands = fc.commands(
  [
    reservation.map(reserve),
    fc.array(reservation, { minLength: 1, maxLength: 4 }).map(batchReserve),
    reservation.map(reserveWithDuplicate),
    id.map(commit),
    id.map(commit),
    id.map(commit),
    ids.map(batchCommit),
    id.map(release),
    id.map(repeatedRelease),
    fc.constant(passTime()),
    fc.constant(sweep()),
    fc.constant(expireAll()),
    fc.tuple(reservation, reservation).map(commitLate),
  ],
  { ...commandsOptions({ maxCommands: 30 }), size: "max" },
);

type StockCommand = fc.AsyncCommand<StockModel, StockWorld>;

/** A command that compares the answers, and then where every unit is. */
function command(
  name: string,
  run: (model: StockModel, world: StockWorld) => Promise<void>,
): StockCommand {
  return {
    check: () => true,
    async run(model, world) {
      await run(model, world);
      expect(await stockOfModel(world), "stock").toEqual(model.stock());
    },
    toString: () => name,
  };
}

function reserve(request: Reservation) {
  const { reservationId, lines, ttlMs } = request;
  return command(`reserve(${show(request)})`, async (model, { inventory }) => {
    const answer = await answerOf(inventory.client.reserve(request));
    expect(answer).toEqual(model.reserve(reservationId, lines, ttlMs));
  });
}

function batchReserve(requests: readonly Reservation[]) {
  const name = `batchReserve(${requests.map(show).join(", ")})`;
  return command(name, async (model, { inventory }) => {
    const { results } = await inventory.client.batchReserve({ requests: [...requests] });
    expect(results.map(({ result }) => itemAnswer(result))).toEqual(
      requests.map((each) => model.reserve(each.reservationId, each.lines, each.ttlMs)),
    );
  });
}

/** A product may stand on one line only: nothing is taken, and the id stays free. */
function reserveWithDuplicate(request: Reservation) {
  return command(`reserveWithDuplicate(${show(request)})`, async (_model, { inventory }) => {
    const lines = [...request.lines, request.lines[0] as ModelLine];
    const refusal = await inventory.client.reserve({ ...request, lines }).catch((e: unknown) => e);
    expect(ConnectError.from(refusal).code).toBe(Code.InvalidArgument);
  });
}

function commit(reservationId: string) {
  return command(`commit(${reservationId})`, async (model, { inventory }) => {
    const answer = await answerOf(inventory.client.commitReservation({ reservationId }));
    expect(answer).toEqual(model.commit(reservationId));
  });
}

function batchCommit(ids: readonly string[]) {
  return command(`batchCommit(${ids.join(", ")})`, async (model, { inventory }) => {
    const requests = ids.map((reservationId) => ({ reservationId }));
    const { results } = await inventory.client.batchCommitReservations({ requests });
    expect(results.map(({ result }) => itemAnswer(result))).toEqual(
      ids.map((reservationId) => model.commit(reservationId)),
    );
  });
}

function release(reservationId: string) {
  return command(`release(${reservationId})`, async (model, { inventory }) => {
    const { reservation } = await inventory.client.releaseReservation({ reservationId });
    expect(reservationAnswer(reservation)).toEqual(model.release(reservationId));
  });
}

/** As when an answer is lost, or two processes cancel at once. */
function repeatedRelease(reservationId: string) {
  return command(`release(${reservationId}) twice at once`, async (model, { inventory }) => {
    const calls = [1, 2].map(() => inventory.client.releaseReservation({ reservationId }));
    const expected = model.release(reservationId);
    for (const { reservation } of await Promise.all(calls)) {
      expect(reservationAnswer(reservation)).toEqual(expected);
    }
  });
}

/** The clock is the database's: time passes by moving what it compares with. Nothing is put back yet. */
function passTime() {
  return command("passTime", async (model, { inventory }) => {
    await inventory.sql.query({
      text: "UPDATE reservation SET expires_at = expires_at - $1 * interval '1 millisecond'",
      values: [passingMs],
    });
    model.pass(passingMs);
  });
}

function sweep() {
  return command("sweep", async (model, { manager }) => {
    expect(await manager.expire(100)).toBe(model.expire());
  });
}

/** Both of them: what follows an expiry is worth as much as what precedes one. */
function expireAll() {
  return command("expireAll", async (model, world) => {
    await passTime().run(model, world);
    await sweep().run(model, world);
  });
}

/** A commit after the hold has expired and its units may be reserved again: with units left or without. */
function commitLate([mine, other]: readonly [Reservation, Reservation]) {
  const steps = [
    reserve({ ...mine, ttlMs: shortTtlMs }),
    expireAll(),
    reserve(other),
    commit(mine.reservationId),
  ];
  return command(`commitLate(${show(mine)}; ${show(other)})`, async (model, world) => {
    for (const step of steps) await step.run(model, world);
  });
}

async function stockOfModel({ inventory }: StockWorld): Promise<object[]> {
  const { rows } = await inventory.sql.query({
    text: `SELECT product_id AS "productId", available, held, committed FROM stock_level
      WHERE product_id = ANY($1) ORDER BY product_id`,
    values: [products],
  });
  return rows;
}

type Response = ReserveResponse | CommitReservationResponse;

async function answerOf(call: Promise<Response>): Promise<ModelAnswer> {
  try {
    return responseAnswer(await call);
  } catch (error) {
    return { error: problemOf(error)?.code ?? String(error) };
  }
}

function itemAnswer(
  result:
    | { case: "response"; value: Response }
    | { case: "error"; value: ItemError }
    | { case: undefined; value?: undefined },
): ModelAnswer {
  if (result.case === "response") return responseAnswer(result.value);
  const problem = result.value?.details
    .map((detail) => anyUnpack(detail, ProblemSchema))
    .find((detail) => detail !== undefined);
  return { error: problem?.code ?? "no answer" };
}

function responseAnswer({ outcome }: Response): ModelAnswer {
  if (outcome.case !== "shortage") return reservationAnswer(outcome.value);
  const short = outcome.value.lines.map(({ productId, requested, available }) => ({
    productId,
    requested,
    available: available ?? Number.NaN,
  }));
  return { short };
}

function reservationAnswer(
  reservation: { status: ReservationStatus; lines: ModelLine[]; expiresAt?: unknown } | undefined,
): ModelAnswer {
  if (!reservation) return { error: "no answer" };
  const { status, lines, expiresAt } = reservation;
  const known = statuses[status];
  if (!known) return { error: "no status" };
  expect(expiresAt !== undefined, "expires").toBe(status === ReservationStatus.HELD);
  return {
    status: known,
    lines: lines
      .map(({ productId, quantity }) => ({ productId, quantity }))
      .sort((a, b) => a.productId.localeCompare(b.productId)),
  };
}

const statuses: Partial<Record<ReservationStatus, ModelStatus>> = {
  [ReservationStatus.HELD]: "HELD",
  [ReservationStatus.COMMITTED]: "COMMITTED",
  [ReservationStatus.RELEASED]: "RELEASED",
  [ReservationStatus.EXPIRED]: "EXPIRED",
};

function show({ reservationId, lines, ttlMs }: Reservation): string {
  const wanted = lines.map(({ productId, quantity }) => `${quantity} ${productId}`).join(" + ");
  return `${reservationId}: ${wanted}${ttlMs === shortTtlMs ? " for a short time" : ""}`;
}
