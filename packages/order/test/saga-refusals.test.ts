/**
 * What another service refuses for good: the order comes to rest. On the way to a confirmed order it is turned back, and what was done is
 * undone; a compensation that is refused waits for a person, where the resumer leaves it alone.
 */
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { OrderMilestone as Milestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { silentLogger } from "@smartcart/runtime";
import { waitFor } from "@smartcart/testkit";
import type { StoredOrder } from "../src/order.ts";
import { startResumer } from "../src/saga/resumer.ts";
import type { Peers } from "../src/saga/steps.ts";
import { stepFor } from "../src/saga/steps.ts";
import type { PeerCall } from "./scripted-peers.ts";
import { setUp } from "./setup.ts";

const invalid = { code: "INVALID_ARGUMENT", rpcCode: Code.InvalidArgument };
const reserved = [Milestone.RECEIVED, Milestone.STOCK_RESERVED];

interface TurnedBack {
  readonly call: PeerCall;
  readonly refusals: readonly { readonly code: string; readonly rpcCode: Code }[];
  readonly rejection: "OUT_OF_STOCK" | "PAYMENT_DECLINED";
  readonly calls: readonly PeerCall[];
  readonly history: readonly Milestone[];
  readonly refunds: number;
}

/** A row for each call on the way to a confirmed order, with every code that its service refuses for good. */
const turnedBack: readonly TurnedBack[] = [
  {
    call: "reserve",
    refusals: [{ code: "RESERVATION_EXISTS", rpcCode: Code.AlreadyExists }, invalid],
    rejection: "OUT_OF_STOCK",
    calls: ["reserve", "releaseReservation"],
    history: [Milestone.RECEIVED, Milestone.OUT_OF_STOCK],
    refunds: 0,
  },
  {
    call: "processPayment",
    refusals: [{ code: "PAYMENT_EXISTS", rpcCode: Code.AlreadyExists }, invalid],
    rejection: "PAYMENT_DECLINED",
    calls: ["reserve", "processPayment", "refundPayment", "releaseReservation"],
    history: [...reserved, Milestone.PAYMENT_DECLINED],
    refunds: 0,
  },
  {
    call: "commitReservation",
    refusals: [
      { code: "RESERVATION_RELEASED", rpcCode: Code.FailedPrecondition },
      { code: "RESERVATION_NOT_FOUND", rpcCode: Code.NotFound },
      invalid,
    ],
    rejection: "OUT_OF_STOCK",
    calls: [
      "reserve",
      "processPayment",
      "commitReservation",
      "refundPayment",
      "releaseReservation",
    ],
    history: [...reserved, Milestone.PAYMENT_CONFIRMED, Milestone.OUT_OF_STOCK, Milestone.REFUNDED],
    refunds: 1,
  },
];

const rows = turnedBack.flatMap((row) => row.refusals.map((refusal) => ({ ...row, ...refusal })));

describe("a step on the way", () => {
  it.each(rows)("$call, refused with $code, turns the order back at once", async (row) => {
    await using service = await setUp();
    service.world.refuse(row.call, row);
    const { order } = await service.place({}, "key");
    const { orderId } = order;
    expect(order.rejection).toMatchObject({ code: row.rejection, reason: row.code.toLowerCase() });
    await waitFor(async () => (await service.repository.find(orderId))?.state === "REJECTED");
    expect(service.world.calls).toEqual(row.calls);
    expect(await service.history(orderId)).toEqual(row.history);
    expect(service.world.refunds.get(orderId) ?? 0).toBe(row.refunds);
    expect(service.world.stock).toBe(100);
    expect((await service.place({}, "key")).order).toEqual(order);
  });

  it("is not gone on with for an id that was released before: nothing is charged", async () => {
    await using service = await setUp();
    const order = await storedAs(service, "RECEIVED");
    service.world.reservations.set(order.orderId, ReservationStatus.RELEASED);
    const transition = await run(order, service.dependencies.peers);
    expect(transition?.to).toMatchObject({
      state: "REJECTED_RELEASING",
      rejection: { code: "OUT_OF_STOCK", reason: "reservation_released" },
    });
  });

  it("gives back what stands under the order's id, and its history says so", async () => {
    await using service = await setUp();
    const order = await storedAs(service, "REJECTED_REFUNDING");
    const rejected = {
      ...order,
      rejection: { code: "PAYMENT_DECLINED" as const, reason: "payment_exists", lines: [] },
    };
    const transition = await run(rejected, service.dependencies.peers);
    expect(transition?.history.map(({ milestone }) => milestone)).toEqual([Milestone.REFUNDED]);
  });
});

describe("a cancellation", () => {
  it.each([{ code: "SHIPMENT_STARTED", rpcCode: Code.FailedPrecondition }, invalid])(
    "that shipping refuses with $code leaves the order as it was",
    async (refusal) => {
      await using service = await setUp();
      const { order } = await service.place();
      service.world.refuse("cancelShipment", refusal);
      await expect(service.cancel(order.orderId)).rejects.toMatchObject({
        code: "ORDER_ALREADY_SHIPPING",
      });
      expect((await service.repository.find(order.orderId))?.state).toBe("CONFIRMED");
    },
  );

  it.each([
    {
      call: "refundPayment" as const,
      refusal: { code: "PAYMENT_LEDGER_MISMATCH", rpcCode: Code.FailedPrecondition },
      state: "CANCELLED_REFUNDING",
    },
    { call: "releaseReservation" as const, refusal: invalid, state: "CANCELLED_RELEASING" },
  ])(
    "whose $call is refused waits for a person, who lets it go on",
    async ({ call, refusal, state }) => {
      await using service = await setUp();
      const { order } = await service.place();
      service.world.refuse(call, refusal);
      expect((await service.cancel(order.orderId)).state).toBe(state);
      const callsOf = () => service.world.calls.filter((made) => made === call).length;
      expect(callsOf()).toBe(1);

      await using _resumer = startResumer({ ...service, log: silentLogger, intervalMs: 10 });
      const { rows } = await service.database.query({
        text: "select state, refusal, lease_until = 'infinity' as rests from orders",
      });
      expect(rows).toEqual([{ state, refusal: refusal.code, rests: true }]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(callsOf()).toBe(1);

      service.world.refuse(call, undefined);
      await service.database.query({ text: "update orders set lease_until = now()" });
      await waitFor(
        async () => (await service.repository.find(order.orderId))?.state === "CANCELLED",
      );
      const after = await service.database.query({ text: "select refusal from orders" });
      expect(after.rows).toEqual([{ refusal: null }]);
    },
  );
});

type Service = Awaited<ReturnType<typeof setUp>>;

async function storedAs(service: Service, state: StoredOrder["state"]): Promise<StoredOrder> {
  const { order } = await service.place();
  const stored = await service.repository.find(order.orderId);
  if (stored === undefined) throw new Error("the order has vanished");
  return { ...stored, state };
}

function run(order: StoredOrder, peers: Peers) {
  const { signal } = new AbortController();
  return stepFor(order)?.run(order, { peers, signal, now: () => new Date() });
}
