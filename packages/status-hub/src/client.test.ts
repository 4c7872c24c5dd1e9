import { expect, test } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { HubClient } from "./client.ts";
import { anonymousClient } from "./client-identity.ts";

const orderId = "ORD-1";
const frame = (sequence: number) => ({ sequence, data: Buffer.from(`${sequence}`) });

/** A client of an order with so many entries; what it was sent, and after which sequences its history was read. */
function createWorld(stored: number) {
  const sent: string[] = [];
  const readAfter: number[] = [];
  const sender = { send: (data: Buffer) => void sent.push(data.toString()) };
  const client = new HubClient(sender, {
    history: {
      async list(_, after) {
        readAfter.push(after);
        return Array.from({ length: stored - after }, (_, index) => frame(after + index + 1));
      },
      newestOrders: async () => [],
    },
    identity: anonymousClient,
    log: silentLogger,
    onResync() {},
    retryPauseMs: 1,
  });
  return { client, sent, readAfter };
}

test("live events in their order are sent once each, and nothing is read for them", () => {
  const { client, sent, readAfter } = createWorld(0);
  for (const sequence of [1, 2, 2, 1, 3, 0]) client.live(orderId, frame(sequence));
  expect(sent).toEqual(["1", "2", "3"]);
  expect(client.last(orderId)).toBe(3);
  expect(readAfter).toEqual([]);
});

test("a gap is read, whether a reading went before or live events did, and live events go on after it", async () => {
  const { client, sent, readAfter } = createWorld(6);
  await client.refill("ORD-2", { after: 5 });
  client.live("ORD-2", frame(8));
  client.live(orderId, frame(1));
  client.live(orderId, frame(4));
  await expect.poll(() => client.last(orderId)).toBe(6);
  client.live(orderId, frame(7));
  expect(sent.filter((one) => one !== "6")).toEqual(["1", "2", "3", "4", "5", "7"]);
  expect(readAfter).toEqual([5, 6, 1]);
  client.stop();
});

test("a client asks to begin anew; what it follows is known by its orders, up to a thousand", async () => {
  const { client, sent } = createWorld(3);
  for (const sequence of [1, 2, 3]) client.live(orderId, frame(sequence));
  client.orders.add(orderId);
  await client.refill(orderId, { after: 1 });
  expect(sent).toEqual(["1", "2", "3", "2", "3"]);
  for (let order = 2; order <= 1001; order++) client.live(`ORD-${order}`, frame(1));
  const followed = [...client.followed];
  expect(followed).toHaveLength(1000);
  expect(followed.slice(0, 2)).toEqual([orderId, "ORD-3"]);
});
