/** Shipments dated when no calendar goes: their messages are given up, and every order stays readable. */
import { create, toJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConsumeOptions, Delivery } from "@smartcart/bus";
import {
  OrderShippedSchema,
  OrderShippingStartedSchema,
} from "@smartcart/gen/events/v1/shipment_events_pb";
import { OrderEventSchema, OrderSchema } from "@smartcart/gen/order/v1/order_pb";
import { silentLogger } from "@smartcart/runtime";
import { propertyOptions } from "@smartcart/testkit";
import { orderEventView, orderView } from "../src/order-view.ts";
import { startShipmentsConsumer } from "../src/shipments-consumer.ts";
import { listHistory } from "../src/store/read-orders.ts";
import { setUp } from "./setup.ts";

let service: Awaited<ReturnType<typeof setUp>>;
beforeAll(async () => {
  service = await setUp();
  service.world.stock = 1_000_000;
});
afterAll(() => service[Symbol.asyncDispose]());

/** What a timestamp can be on the wire; mostly out of range, at its edge, or ordinary. */
const anyTime = fc
  .record({
    seconds: fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(-62_135_596_801n, -62_135_596_800n, 253_402_300_799n, 253_402_300_800n),
      fc.bigInt({ min: 1_600_000_000n, max: 1_900_000_000n }),
    ),
    nanos: fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 999_999_999, 1_000_000_000)),
  })
  .map((time) => create(TimestampSchema, time));

const anyFact = fc.record({
  isShipped: fc.boolean(),
  startedAt: fc.option(anyTime),
  shippedAt: fc.option(anyTime),
  orderId: fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom("", "ORD-\0", "\u{d800}", "x".repeat(100_000)) },
  ),
});

let messages = 0;
function delivered(
  fact: typeof anyFact extends fc.Arbitrary<infer T> ? T : never,
  orderId: string,
): Delivery {
  const schema = fact.isShipped ? OrderShippedSchema : OrderShippingStartedSchema;
  const message = create(schema, {
    orderId: fact.orderId ?? orderId,
    ...(fact.startedAt && { startedAt: fact.startedAt }),
    ...(fact.isShipped && fact.shippedAt && { shippedAt: fact.shippedAt }),
  });
  const id = `m${messages++}`;
  return { id, message, type: schema.typeName, attempt: 1, traceparent: "" } as unknown as Delivery;
}

describe("any shipment event", () => {
  it("is applied or given up, takes no neighbour with it, and leaves the order readable", {
    timeout: 60_000,
  }, async () => {
    const handle = await consumer();
    await fc.assert(
      fc.asyncProperty(fc.array(anyFact, { minLength: 1, maxLength: 40 }), async (facts) => {
        const placed = await Promise.all([...facts, "neighbour"].map(() => service.place()));
        const ids = placed.map(({ order }) => order.orderId);
        const neighbour = ids.at(-1) as string;
        const good = { isShipped: false, startedAt: null, shippedAt: null, orderId: undefined };
        const outcomes = await handle([
          ...facts.map((fact, index) => delivered(fact, ids[index] as string)),
          delivered(good, neighbour),
        ]);
        expect(outcomes.at(-1)).toEqual({ kind: "ack" });
        expect((await service.repository.find(neighbour))?.state).toBe("SHIPPING");
        for (const orderId of ids) await expectReadable(orderId);
      }),
      propertyOptions({ numRuns: 60, limitMs: 50_000 }),
    );
  });
});

it("an order that an earlier version dated in the year 10000 can be read", async () => {
  const { orderId } = (await service.place()).order;
  for (const time of ["10000-01-01", "290000-01-01", "infinity", "-infinity", "4713-01-01 BC"]) {
    await service.database.query({
      text: "update orders set milestone_times[4] = $2 where order_id = $1",
      values: [orderId, time],
    });
    await expectReadable(orderId);
  }
});

async function expectReadable(orderId: string): Promise<void> {
  const history = await listHistory(service.database, orderId, 0);
  for (const entry of history) toJson(OrderEventSchema, orderEventView(entry));
  const order = await service.repository.find(orderId);
  expect(order).toBeDefined();
  if (order) toJson(OrderSchema, orderView(order));
}

/** The consumer's own handler, without a queue in between. */
async function consumer() {
  let handle: ConsumeOptions["handle"] | undefined;
  await startShipmentsConsumer({
    repository: service.repository,
    log: silentLogger,
    bus: {
      async consume(_queue: string, options: { handle: never }) {
        handle = options.handle;
        return {} as never;
      },
    } as never,
  });
  return (batch: readonly Delivery[]) => {
    if (handle === undefined) throw new Error("the consumer took no handler");
    return handle(batch, { signal: new AbortController().signal });
  };
}
