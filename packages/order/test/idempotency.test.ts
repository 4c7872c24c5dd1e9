import { toJsonString } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Order_Status, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { silentLogger } from "@smartcart/runtime";
import { propertyOptions, waitFor } from "@smartcart/testkit";
import { fingerprintOf, idempotencyKeyOf } from "../src/idempotency.ts";
import { orderView } from "../src/order-view.ts";
import { startResumer } from "../src/saga/resumer.ts";
import { anOrderRequest } from "./an-order-request.ts";
import { setUp } from "./setup.ts";

/** As REST hands it over. */
const keyOf = (headers: Record<string, string>) =>
  idempotencyKeyOf({ requestHeader: new Headers(headers), protocolName: "local" });

describe("an idempotency key", () => {
  it("makes one order of any number of concurrent requests", async () => {
    await using service = await setUp();
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => service.place({}, "key-1")),
    );
    const answered = attempts.flatMap((attempt) =>
      attempt.status === "fulfilled" ? [attempt.value.order.orderId] : [],
    );
    const refused = attempts.flatMap((attempt) =>
      attempt.status === "rejected" ? [attempt.reason.code] : [],
    );
    expect(new Set(answered).size).toBe(1);
    expect(new Set(refused)).toEqual(new Set(refused.length > 0 ? ["IDEMPOTENCY_KEY_IN_USE"] : []));
    expect(service.world.captures.size).toBe(1);
    expect(service.world.stock).toBe(97);
  });

  it("repeats its first answer, also when the order has moved on", async () => {
    await using service = await setUp();
    const first = await service.place({}, "key-1");
    await service.cancel(first.order.orderId);
    const again = await service.place({}, "key-1");
    expect(again.replayed).toBe(true);
    expect(toJsonString(OrderSchema, again.order)).toBe(toJsonString(OrderSchema, first.order));
  });

  it("repeats a rejection as well", async () => {
    await using service = await setUp();
    const first = await service.place({ paymentToken: "tok_declined" }, "key-1");
    const again = await service.place({ paymentToken: "tok_declined" }, "key-1");
    expect(first.order.status).toBe(Order_Status.REJECTED);
    expect(again).toEqual({ order: first.order, replayed: true });
  });

  it("is refused for another body", async () => {
    await using service = await setUp();
    await service.place({}, "key-1");
    await expect(service.place({ address: "2 Main St" }, "key-1")).rejects.toMatchObject({
      code: "IDEMPOTENCY_KEY_REUSED",
    });
  });

  it("of a process that died before it answered is in use until the resumer settled the order", async () => {
    await using service = await setUp();
    const died = new Error("died");
    service.crash({
      hit(name) {
        if (name === "receive.after-commit") throw died;
      },
    });
    await expect(service.place({}, "key-1")).rejects.toBe(died);
    await expect(service.place({}, "key-1")).rejects.toMatchObject({
      code: "IDEMPOTENCY_KEY_IN_USE",
    });
    await service.database.query({ text: "update orders set lease_until = now()" });
    await using _resumer = startResumer({ ...service, log: silentLogger, intervalMs: 20 });
    const answer = await waitFor(() => service.place({}, "key-1").catch(() => undefined));
    expect(answer.replayed).toBe(true);
    expect(answer.order.status).toBe(Order_Status.CONFIRMED);
    const stored = await service.repository.find(answer.order.orderId);
    expect(stored && orderView(stored)).toEqual(answer.order);
    expect(service.world.captures.size).toBe(1);
  });

  it("is any printable text up to 255 characters, and nothing else", () => {
    const read = (value: string) => keyOf({ "idempotency-key": value });
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,255}$/), (key) => {
        expect(read(key)).toBe(key);
      }),
      propertyOptions(),
    );
    expect(() => read("x".repeat(256))).toThrow("255");
    expect(() => read("")).toThrow("255");
    expect(keyOf({})).toBeUndefined();
  });

  it("is one: over RPC, where several values arrive as a list, none is taken", () => {
    const twice = new Headers([
      ["idempotency-key", "a"],
      ["idempotency-key", "b"],
    ]);
    for (const protocolName of ["connect", "grpc", "grpc-web"]) {
      const read = () => idempotencyKeyOf({ requestHeader: twice, protocolName });
      expect(read).toThrow("more than one value");
    }
    expect(keyOf({ "idempotency-key": "a,b" })).toBe("a,b");
  });

  it("tells bodies apart, not their spelling", () => {
    const one = fingerprintOf(anOrderRequest());
    expect(fingerprintOf(anOrderRequest())).toEqual(one);
    expect(fingerprintOf(anOrderRequest({ userId: "u2" }))).not.toEqual(one);
  });
});
