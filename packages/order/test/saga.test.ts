/**
 * The saga where nothing goes wrong, case by case. That it comes to the same ends where something does is for
 * `saga-crashes.test.ts` and `saga-faults.test.ts`.
 */

import { describe, expect, it } from "vitest";
import { ReservationStatus } from "@smartcart/gen/inventory/v1/reservation_pb";
import { OrderMilestone as Milestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import { Order_Status } from "@smartcart/gen/order/v1/order_pb";
import { publishedOf, setUp } from "./setup.ts";

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
    expect(await publishedOf(service.database, order.orderId)).toEqual([
      "1 RECEIVED",
      "2 STOCK_RESERVED",
      "3 PAYMENT_CONFIRMED",
      "4 CONFIRMED",
      "order.placed",
    ]);
  });

  it("shows what is known while a call takes its time", async () => {
    await using service = await setUp({ slowAfterMs: 4 });
    service.world.failNext("processPayment", "late");
    const { order } = await service.place();
    expect(await service.history(order.orderId)).toEqual(through);
    expect(await publishedOf(service.database, order.orderId)).toEqual([
      "1 RECEIVED",
      "2 STOCK_RESERVED",
      "3 PAYMENT_CONFIRMED",
      "4 CONFIRMED",
      "order.placed",
    ]);
    const messages = service.database.query({ text: "select from outbox" });
    expect((await messages).rowCount, "two messages of statuses, and the order").toBe(3);
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

  it("gives the stock back when declined, and says why", async () => {
    await using service = await setUp();
    const { order } = await service.place({ paymentToken: "tok_declined" });
    expect(order.rejection).toMatchObject({ code: "PAYMENT_DECLINED", reason: "card_declined" });
    expect(service.world.stock).toBe(100);
  });

  it("is paid back when the hold expired and the stock is gone", async () => {
    await using service = await setUp();
    service.world.expireAndSellOut();
    const { order } = await service.place();
    expect(order.rejection?.code).toBe("OUT_OF_STOCK");
    expect(service.world.refunds.get(order.orderId)).toBe(1);
  });
});

describe("cancelling", () => {
  it("stops the shipment, pays back and releases, once however often it is asked for", async () => {
    await using service = await setUp();
    const { order } = await service.place();
    for (const _ of [1, 2]) {
      const cancelled = await service.cancel(order.orderId);
      expect(cancelled.state).toBe("CANCELLED");
      expect(service.world.stoppedShipments.has(order.orderId)).toBe(true);
      expect(service.world.refunds.get(order.orderId)).toBe(1);
      expect(service.world.reservations.get(order.orderId)).toBe(ReservationStatus.RELEASED);
    }
    expect(service.world.calls.filter((call) => call === "refundPayment")).toHaveLength(1);
  });

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
