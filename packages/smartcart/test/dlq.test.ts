/** `smartcart dlq` against a running stack, as an operator uses it. */
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvent, openBus } from "@smartcart/bus";
import { OrderPlacedSchema } from "@smartcart/gen/events/v1/order_events_pb";
import { silentLogger } from "@smartcart/runtime";
import { createTestDatabase, waitFor } from "@smartcart/testkit";
import { runDlq } from "../src/dlq.ts";

const nothing = { queue: undefined, ids: [], limit: undefined, rate: undefined };

let bus: Awaited<ReturnType<typeof openBus>>;
let refusing = true;
const handled: string[] = [];
const running = new AsyncDisposableStack();

beforeAll(async () => {
  const { url: databaseUrl } = running.use(await createTestDatabase());
  bus = running.use(await openBus({ databaseUrl, name: "test", log: silentLogger }));
  running.use(
    await bus.consume("orders", {
      name: "test",
      log: silentLogger,
      async handle(batch) {
        if (refusing) return batch.map(() => ({ kind: "dead-letter", reason: "no such street" }));
        handled.push(...batch.map(({ id }) => id));
        return batch.map(() => ({ kind: "ack" }));
      },
    }),
  );
  const events = ["ORD-1", "ORD-2", "ORD-3"].map((orderId) =>
    createEvent(OrderPlacedSchema, create(OrderPlacedSchema, { orderId }), {
      id: `${orderId}:placed`,
    }),
  );
  await bus.publish([
    ...events,
    { ...events[0], id: "poison", body: Buffer.from("not protobuf") } as (typeof events)[0] &
      object,
  ]);
  await waitFor(async () => (await bus.deadLetters("orders").count()) === 4);
});
afterAll(() => running.disposeAsync());

describe("smartcart dlq", () => {
  it("lists what was given up, and why", async () => {
    const text = await runDlq(bus, { ...nothing, action: "list" });
    expect(text).toContain("orders.dlq: 4");
    expect(text).toContain("shipments.dlq: 0");
    expect(text).toMatch(/ORD-1:placed .*no such street/);
  });

  it("shows a message decoded, and of one that cannot be decoded its size", async () => {
    const one = await runDlq(bus, {
      ...nothing,
      action: "show",
      queue: "orders",
      ids: ["ORD-2:placed"],
    });
    expect(JSON.parse(one).message).toEqual({ orderId: "ORD-2" });
    const poison = await runDlq(bus, {
      ...nothing,
      action: "show",
      queue: "orders",
      ids: ["poison"],
    });
    expect(JSON.parse(poison)).toMatchObject({ id: "poison", bodySize: 12 });
    expect(poison).not.toContain("not protobuf");
  });

  it("puts one, and then the rest but for a limit, back into the queue", async () => {
    refusing = false;
    const redrive = { ...nothing, action: "redrive", queue: "orders" };
    expect(await runDlq(bus, { ...redrive, ids: ["ORD-3:placed"] })).toBe(
      "1 moved back to orders\n",
    );
    await waitFor(() => handled.includes("ORD-3:placed"));
    expect(await runDlq(bus, { ...redrive, ids: ["all"], limit: 1 })).toBe(
      "1 moved back to orders\n",
    );
    await waitFor(async () => (await bus.deadLetters("orders").count()) === 2);
  });

  it("drops for good", async () => {
    const drop = { ...nothing, action: "drop", queue: "orders" };
    expect(await runDlq(bus, { ...drop, ids: ["poison"] })).toBe("1 deleted from orders.dlq\n");
    expect(await runDlq(bus, { ...drop, ids: ["all"] })).toBe("1 deleted from orders.dlq\n");
    expect(await bus.deadLetters("orders").count()).toBe(0);
  });

  it("says how it is used where it was used wrongly", async () => {
    const wrong = { ...nothing, action: "redrive" };
    await expect(runDlq(bus, { ...wrong, queue: "orders" })).rejects.toThrow(
      "needs a queue and an id",
    );
    await expect(runDlq(bus, { ...wrong, queue: "parcels", ids: ["x"] })).rejects.toThrow(
      'no queue with dead letters has the name "parcels"; use one of: orders, shipments',
    );
  });
});
