/** Events that are protobuf by their bytes and nothing else: no client loses its connection, no valid status is delayed. */
import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { OutgoingEvent } from "@smartcart/bus";
import { OrderStatusChangedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { propertyOptions } from "@smartcart/testkit";
import { createWorld, engines, follow, newOrderId, patience, wholeLife } from "./support.ts";

const eventCount = 10_000;
const batch = 250;

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ maxLength: 20 }).map((part) => part.repeat(500)),
  fc.constantFrom("", "\0", "\ud800", "__proto__"),
);
const seconds = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  // The first second of the year 10000, and the last before the year 1.
  fc.constantFrom(253_402_300_800n, -62_135_596_801n, 0n),
);
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.oneof(fc.nat(8), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1));

/** Of an order with a subscriber, of a user with a subscriber, or of neither. */
function wildEvent(orderId: string) {
  const whose = fc.oneof(
    // Never the next entry of the valid order: such a forgery cannot be recognised.
    fc.record({
      orderId: fc.constant(orderId),
      userId: fc.constant("u1"),
      sequence: fc.constantFrom(0, 1, 1000, 2 ** 31, 2 ** 32 - 1),
    }),
    fc.record({
      orderId: fc.oneof(text, fc.constantFrom("wild-1", "wild-2", "wild-3")),
      userId: fc.oneof(fc.constant("u1"), text),
      sequence: uint32,
    }),
  );
  const rest = fc.record({
    milestone: fc.oneof(fc.nat(12), int32),
    occurredAt: fc.option(fc.record({ seconds, nanos: int32 }), { nil: undefined }),
    service: text,
    traceId: text,
  });
  return fc.tuple(whose, rest).map(([one, other]) => ({ ...one, ...other }));
}

function outgoing(wild: object): OutgoingEvent {
  const init = wild as MessageInitShape<typeof OrderStatusChangedSchema>;
  const event = create(OrderStatusChangedSchema, init);
  return {
    id: randomUUID(),
    type: OrderStatusChangedSchema.typeName,
    routingKey: "order.status.wild",
    orderingKey: "",
    body: toBinary(OrderStatusChangedSchema, event),
    traceparent: "",
  };
}

test.each(engines)(
  "on %s, ten thousand wild events",
  async (engine) => {
    await using world = await createWorld(engine);
    await using hub = await world.startHub();
    const orderId = newOrderId();
    await world.advance(orderId);
    using ofOrder = await follow(hub, { orderId });
    using ofUser = await follow(hub, { userId: "u1" });
    await expect.poll(() => ofOrder.statuses(orderId), patience).toHaveLength(1);

    let batches = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(wildEvent(orderId), { minLength: batch, maxLength: batch }),
        async (events) => {
          await world.bus.publish(events.map(outgoing));
          batches += 1;
          if (batches % 10 === 0) await world.advance(orderId);
          expect([ofOrder, ofUser].map(({ socket }) => socket.readyState)).toEqual([
            WebSocket.OPEN,
            WebSocket.OPEN,
          ]);
        },
      ),
      propertyOptions({ numRuns: eventCount / batch, limitMs: 100_000 }),
    );
    await world.advance(orderId);
    await expect.poll(() => ofOrder.statuses(orderId), patience).toEqual(wholeLife);
    await expect
      .poll(() => new Set(ofUser.statuses(orderId)), patience)
      .toEqual(new Set(wholeLife));
    expect((await fetch(`${hub.url}/readyz`)).status).toBe(200);
  },
  150_000,
);
