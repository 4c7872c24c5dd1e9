/** Everything on RabbitMQ, with a foreign client beside it on the same broker. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestBroker, waitFor } from "@smartcart/testkit";
import { expectConsistent } from "./invariants.ts";
import { buildContract, runPython, startPython } from "./python.ts";
import { seedBody, startStack, wholeLife } from "./stack.ts";

interface Heard {
  readonly orderId?: string;
  readonly changes?: readonly { readonly orderId: string; readonly milestone: string }[];
}

const idsIn = ({ orderId, changes = [] }: Heard) => [orderId, ...changes.map((one) => one.orderId)];
const milestonesIn = ({ changes = [] }: Heard) =>
  changes.map(({ milestone }) => milestone.replace("ORDER_MILESTONE_", ""));

let broker: Awaited<ReturnType<typeof createTestBroker>>;
let shop: Awaited<ReturnType<typeof startStack>>;
let contract: Awaited<ReturnType<typeof buildContract>>;
beforeAll(async () => {
  [broker, contract] = await Promise.all([createTestBroker(), buildContract()]);
  shop = await startStack({ env: { AMQP_URL: broker.amqpUrl } });
});
afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await contract?.[Symbol.asyncDispose]();
});

interface Look {
  readonly depths: Readonly<Record<string, number | null>>;
  readonly bodies: readonly string[];
}

const look = async (...queues: string[]): Promise<Look> =>
  JSON.parse(await runPython("amqp_look.py", broker.amqpUrl, ...queues));

describe("on RabbitMQ", () => {
  it("an order is shipped", async () => {
    await using client = await shop.follow({ userId: "rabbit" });
    const { status, body } = await shop.place({ ...seedBody, userId: "rabbit" });
    expect(status).toBe(201);
    expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
    const frames = await client.until("Shipped");
    expect(frames.map((frame) => frame.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("the queues are there, and empty", async () => {
    const work = ["orders", "orders.retry.1s", "orders.retry.10s", "orders.retry.60s"];
    const queues = [...work, "orders.dlq", "logs", "smartcart.unrouted"];
    const { depths } = await look(...queues, "no-such-queue");
    expect(Object.keys(depths).filter((queue) => depths[queue] === null)).toEqual([
      "no-such-queue",
    ]);
    for (const queue of [...work, "orders.dlq"]) expect(depths[queue], queue).toBe(0);
  });

  it("python3-pika hears every event of an order, in its order", async () => {
    await using watcher = await startPython("amqp_watch.py", broker.amqpUrl, contract.file);
    const { body } = await shop.place(seedBody);
    const events = await waitFor(() => {
      const heard = watcher.lines.slice(1).map((line) => JSON.parse(line));
      const ofOrder = heard.filter((event) => idsIn(event.body).includes(body.orderId));
      return ofOrder.some((event) => milestonesIn(event.body).includes("SHIPPED")) && ofOrder;
    });
    const keys: string[] = events.map((event) => event.routingKey);
    const statuses = events.filter((event) => event.routingKey === "order.status.changed");
    // What is shown early comes again with what follows it.
    expect([...new Set(statuses.flatMap((event) => milestonesIn(event.body)))]).toEqual([
      "RECEIVED",
      "STOCK_RESERVED",
      "PAYMENT_CONFIRMED",
      "CONFIRMED",
      "SHIPPING_STARTED",
      "SHIPPED",
    ]);
    expect(keys.filter((key) => !key.startsWith("order.status."))).toEqual([
      "order.placed",
      "order.shipping_started",
      "order.shipped",
    ]);
    for (const event of events) {
      expect(event).toMatchObject({
        contentType: "application/protobuf",
        type: expect.stringMatching(/^smartcart\.events\.v1\.[A-Z]\w+$/),
        messageId: expect.stringMatching(/.+/),
        persistent: true,
      });
      // Statuses of several orders may travel together, and then belong to no one trace.
      if (statuses.includes(event)) continue;
      expect(event.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0\d$/);
    }
    expect(new Set(events.map((event) => event.messageId)).size).toBe(events.length);
    const placed = events.find((event) => event.routingKey === "order.placed");
    expect(placed).toMatchObject({
      type: "smartcart.events.v1.OrderPlaced",
      body: { userId: "u1", address: "1 Main St", total: body.total },
    });
  });

  it("a malformed message ends in orders.dlq, and the next order ships", async () => {
    const orderPlaced = "smartcart.events.v1.OrderPlaced";
    const poison = [
      [orderPlaced, "application/protobuf", "\xff\xff\xff"],
      ["somebody.else.Message", "application/json", '{"order":"none"}'],
      ["", "", ""],
    ];
    for (const message of poison) {
      await runPython("amqp_put.py", broker.amqpUrl, "orders", ...message);
    }
    const { body } = await shop.place(seedBody);
    expect(await shop.history(body.orderId, "Shipped")).toEqual(wholeLife);
    const dead = await waitFor(async () => {
      const seen = await look("orders.dlq", "orders");
      return seen.depths["orders.dlq"] === poison.length && seen;
    });
    expect(dead.bodies).toEqual(poison.map(([, , bytes]) => bytes));
    expect(dead.depths.orders).toBe(0);
  });

  it("everything is consistent in the end", async () => {
    await expectConsistent(shop.databaseUrl);
  });
});
