/** A bus in the hands of one part, which shares it with others. */
import { expect, it } from "vitest";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import { createTestDatabase } from "@smartcart/testkit";
import { createFaultInjectingBus, decodeDeadLetter, observeBus, openBus } from "../src/index.ts";
import { orderPlaced } from "./events.ts";
import { eventually } from "./eventually.ts";

async function open() {
  const started = new AsyncDisposableStack();
  const { url: databaseUrl } = started.use(await createTestDatabase());
  const bus = started.use(await openBus({ databaseUrl, name: "test", log: silentLogger }));
  return { bus, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

it("counts the messages of its service", async () => {
  await using opened = await open();
  const [order, shipping] = [createMetrics("order"), createMetrics("shipping")];
  const outgoing = observeBus(opened.bus, order);
  const incoming = observeBus(opened.bus, shipping);
  await outgoing.publish([orderPlaced("ORD-1", "good"), orderPlaced("ORD-2", "bad")]);
  await using _ = await incoming.consume("orders", {
    name: "test",
    log: silentLogger,
    async handle([delivery]) {
      return [
        delivery?.id === "bad" ? { kind: "dead-letter", reason: "no street" } : { kind: "ack" },
      ];
    },
  });
  await eventually(
    async () => shipping.metrics(),
    (text) => text.includes('queue="orders",result="dead-letter",service="shipping"} 1'),
  );
  expect(await order.metrics()).toContain('published_total{result="confirmed",service="order"} 2');
  expect(await shipping.metrics()).toContain('queue="orders",result="ack",service="shipping"} 1');
  expect(await shipping.metrics()).not.toContain("published_total{");

  const dead = opened.bus.deadLetters("orders");
  const [deadLetter] = await eventually(
    () => dead.list(),
    (deadLetters) => deadLetters.length === 1,
  );
  expect(deadLetter && decodeDeadLetter(deadLetter)).toEqual({
    json: { orderId: "ORD-2", userId: "[redacted]" },
    orderId: "ORD-2",
    reason: "no street",
    headers: {},
  });
  const headers = { traceparent: "00-1", authorization: "Bearer x" };
  expect(deadLetter && decodeDeadLetter({ ...deadLetter, reason: "u1 is no user" }).reason).toBe(
    "[redacted] is no user",
  );
  expect(
    deadLetter && decodeDeadLetter({ ...deadLetter, headers, body: Buffer.alloc(9, 0xff) }),
  ).toEqual({
    json: undefined,
    orderId: "",
    reason: "no street",
    headers: { traceparent: "00-1", authorization: "[redacted]" },
  });
});

it("fails while it is cut, for its user only", async () => {
  await using opened = await open();
  const { bus, cut } = createFaultInjectingBus(opened.bus);
  cut(true);
  expect(await bus.publish([orderPlaced("ORD-1", "first")])).toEqual({
    confirmed: [],
    unknown: ["first"],
    unroutable: [],
  });
  await expect(bus.check()).rejects.toThrow("cut");
  await opened.bus.check();
  cut(false);
  await bus.check();
  expect((await bus.publish([orderPlaced("ORD-1", "first")])).confirmed).toEqual(["first"]);
  expect(await bus.depths()).toMatchObject({ orders: 1 });
});
