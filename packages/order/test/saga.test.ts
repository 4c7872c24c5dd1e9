/** Every step of the saga: done twice, failed before and after its effect, and unwound. */

import { describe, expect, it } from "vitest";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { OrderMilestone as Milestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { Order_Status } from "@smartcart/gen/order/v1/order_pb";
import type { CrashPoint } from "../src/crash-points.ts";
import type { PeerCall } from "./scripted-peers.ts";
import { setUp } from "./setup.ts";

const through = [
  Milestone.RECEIVED,
  Milestone.STOCK_RESERVED,
  Milestone.PAYMENT_CONFIRMED,
  Milestone.CONFIRMED,
];

describe("placing an order", () => {
  it("reserves, charges and commits once, and orders the shipment once", async () => {
    await using service = await setUp();
    const { order } = await service.place();
    expect(order.status).toBe(Order_Status.CONFIRMED);
    expect(order.total?.minorUnits).toBe(3_899n);
    expect(await service.history(order.orderId)).toEqual(through);
    expect(service.world.reservations.get(order.orderId)).toBe(ReservationStatus.COMMITTED);
    expect(service.world.captures.get(order.orderId)).toBe(1);
    const { rows } = await service.database.query({
      text: "select routing_key from outbox where ordering_key = $1 order by position",
      values: [order.orderId],
    });
    expect(rows.map((row) => row.routing_key)).toEqual([
      "order.status.received",
      "order.status.stock_reserved",
      "order.status.payment_confirmed",
      "order.status.confirmed",
      "order.placed",
    ]);
  });

  const calls: PeerCall[] = ["reserve", "processPayment", "commitReservation"];
  it.each(calls.flatMap((call) => [[call, "before"] as const, [call, "after"] as const]))(
    "asks again when %s fails %s its effect, and does nothing twice",
    async (call, when) => {
      await using service = await setUp();
      service.world.failNext(call, when);
      const { order } = await service.place();
      expect(order.status).toBe(Order_Status.CONFIRMED);
      expect(await service.history(order.orderId)).toEqual(through);
      expect(service.world.captures.get(order.orderId)).toBe(1);
      expect(service.world.stock).toBe(97);
    },
  );

  const points: CrashPoint[] = ["reserve", "charge", "commit"].flatMap((step) =>
    ["before-call", "after-call", "after-commit"].map((place) => `${step}.${place}` as CrashPoint),
  );
  it.each(points)("goes on where it was interrupted at %s", async (point) => {
    await using service = await setUp();
    let interrupted = 0;
    service.crash({
      hit(name) {
        if (name === point && interrupted++ === 0) throw new Error(`interrupted at ${name}`);
      },
    });
    const { order } = await service.place();
    expect(interrupted).toBeGreaterThan(0);
    const settled = (await service.repository.find(order.orderId))?.state;
    expect(settled).toBe("CONFIRMED");
    expect(await service.history(order.orderId)).toEqual(through);
    expect(service.world.captures.get(order.orderId)).toBe(1);
  });

  it("is not harmed by two drivers of one order", async () => {
    await using service = await setUp();
    const { order } = await service.place();
    const stored = await service.repository.find(order.orderId);
    const received = { ...stored, state: "RECEIVED", lastSequence: 1 } as typeof stored & object;
    const driven = await Promise.all([service.saga.drive(received), service.saga.drive(received)]);
    expect(driven.map(({ state }) => state)).toEqual(["CONFIRMED", "CONFIRMED"]);
    expect(await service.history(order.orderId)).toEqual(through);
    expect(service.world.captures.get(order.orderId)).toBe(1);
  });
});

describe("an order that cannot be", () => {
  it("ends at once without stock, and says what is left", async () => {
    await using service = await setUp();
    service.world.stock = 2;
    const { order } = await service.place();
    expect(order.status).toBe(Order_Status.REJECTED);
    expect(order.rejection).toMatchObject({
      code: "OUT_OF_STOCK",
      lines: [{ productId: "tea", requested: 3, available: 2 }],
    });
    expect(await service.history(order.orderId)).toEqual([
      Milestone.RECEIVED,
      Milestone.OUT_OF_STOCK,
    ]);
    expect(service.world.captures.size).toBe(0);
  });

  it.each(["before", "after"] as const)(
    "gives the stock back when declined, also when the release fails %s its effect",
    async (when) => {
      await using service = await setUp();
      service.world.failNext("releaseReservation", when);
      const { order } = await service.place({ paymentToken: "tok_declined" });
      expect(order.rejection).toMatchObject({ code: "PAYMENT_DECLINED", reason: "card_declined" });
      expect((await service.repository.find(order.orderId))?.state).toBe("REJECTED");
      expect(service.world.reservations.get(order.orderId)).toBe(ReservationStatus.RELEASED);
      expect(service.world.captures.size).toBe(0);
      expect(await service.history(order.orderId)).toEqual([
        Milestone.RECEIVED,
        Milestone.STOCK_RESERVED,
        Milestone.PAYMENT_DECLINED,
      ]);
    },
  );

  it.each(["before", "after"] as const)(
    "pays back when the hold expired and the stock is gone, also when the refund fails %s its effect",
    async (when) => {
      await using service = await setUp();
      service.world.expireAndSellOut();
      service.world.failNext("refundPayment", when);
      const { order } = await service.place();
      expect(order.rejection?.code).toBe("OUT_OF_STOCK");
      expect(await service.history(order.orderId)).toEqual([
        Milestone.RECEIVED,
        Milestone.STOCK_RESERVED,
        Milestone.PAYMENT_CONFIRMED,
        Milestone.OUT_OF_STOCK,
        Milestone.REFUNDED,
      ]);
      expect(service.world.captures.get(order.orderId)).toBe(1);
      expect(service.world.refunds.get(order.orderId)).toBe(1);
    },
  );
});

describe("cancelling", () => {
  it.each(["cancelShipment", "refundPayment", "releaseReservation"] as const)(
    "stops the shipment, pays back and releases, also when %s fails after its effect",
    async (call) => {
      await using service = await setUp();
      const { order } = await service.place();
      service.world.failNext(call, "after");
      const cancelled = await service.cancel(order.orderId);
      expect(cancelled.state).toBe("CANCELLED");
      expect(service.world.stoppedShipments.has(order.orderId)).toBe(true);
      expect(service.world.refunds.get(order.orderId)).toBe(1);
      expect(service.world.reservations.get(order.orderId)).toBe(ReservationStatus.RELEASED);
      expect(await service.history(order.orderId)).toEqual([
        ...through,
        Milestone.CANCELLED,
        Milestone.REFUNDED,
      ]);
      expect((await service.cancel(order.orderId)).state, "again").toBe("CANCELLED");
      expect(service.world.refunds.get(order.orderId), "again").toBe(1);
    },
  );

  it("comes too late once the shipment has begun, and changes nothing", async () => {
    await using service = await setUp();
    const { order } = await service.place();
    service.world.startedShipments.add(order.orderId);
    await expect(service.cancel(order.orderId)).rejects.toMatchObject({
      code: "ORDER_ALREADY_SHIPPING",
    });
    expect((await service.repository.find(order.orderId))?.state).toBe("CONFIRMED");
    expect(service.world.refunds.size).toBe(0);
  });

  it("of an unknown order says so", async () => {
    await using service = await setUp();
    await expect(service.cancel("ORD-none")).rejects.toMatchObject({ code: "ORDER_NOT_FOUND" });
  });
});
