import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { OrderEventSchema } from "@smartcart/gen/order/v1/order_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { ClientIdentity } from "./client-identity.ts";
import { anonymousClient } from "./client-identity.ts";
import { createOrderHistories, isUnknownOrder } from "./order-history.ts";

/** An order service that answers when it is told to. */
function createOrders() {
  const calls: { orderId: string; authorization: string | null; answer: () => void }[] = [];
  const transport = createRouterTransport(({ service }) =>
    service(OrderService, {
      async listOrderEvents({ orderId, afterSequence }, { requestHeader }) {
        if (orderId === "none") throw new ConnectError("none", Code.NotFound);
        const { promise, resolve } = Promise.withResolvers<void>();
        calls.push({ orderId, authorization: requestHeader.get("authorization"), answer: resolve });
        await promise;
        return { events: [create(OrderEventSchema, { orderId, sequence: afterSequence + 1 })] };
      },
      listOrders: () => ({
        orders: [
          { orderId: "new", lastSequence: 2 },
          { orderId: "old", lastSequence: 6 },
        ],
      }),
    }),
  );
  return { client: createClient(OrderService, transport), calls };
}

const wanted = () => true;
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("so many readings at once; a crowd that waits for one order shares a reading", async () => {
  const { client, calls } = createOrders();
  const histories = createOrderHistories(client, 1);
  const history = histories.for(anonymousClient);
  const first = history.list("a", 0, wanted);
  await expect.poll(() => calls.length).toBe(1);
  const crowd = [history.list("a", 0, wanted), history.list("a", 0, wanted)];
  const other = history.list("b", 0, wanted);
  await settled();
  expect(calls.length).toBe(1);
  expect(histories.waiting).toBe(2);

  calls[0]?.answer();
  await expect.poll(() => calls.length).toBe(2);
  calls[1]?.answer();
  await expect.poll(() => calls.length).toBe(3);
  calls[2]?.answer();
  expect((await Promise.all([first, ...crowd, other])).flat().map((one) => one.sequence)).toEqual([
    1, 1, 1, 1,
  ]);
  expect(calls.map(({ orderId }) => orderId)).toEqual(["a", "a", "b"]);
});

test("a reading that has begun is not shared: it may be older than what the newcomer was told of", async () => {
  const { client, calls } = createOrders();
  const history = createOrderHistories(client, 2).for(anonymousClient);
  void history.list("a", 0, wanted);
  await expect.poll(() => calls.length).toBe(1);
  void history.list("a", 0, wanted);
  await expect.poll(() => calls.length).toBe(2);
});

test("an order that is not there is told apart from a failure", async () => {
  const histories = createOrderHistories(createOrders().client, 1);
  const history = histories.for(anonymousClient);
  const error: unknown = await history.list("none", 0, wanted).catch((e: unknown) => e);
  expect(isUnknownOrder(error)).toBe(true);
  expect(isUnknownOrder(new ConnectError("later", Code.Unavailable))).toBe(false);
  expect(histories.waiting).toBe(0);
});

test("a user's newest orders come with the oldest of them first", async () => {
  const history = createOrderHistories(createOrders().client, 1).for(anonymousClient);
  expect((await history.newestOrders("u1", wanted)).map(({ orderId }) => orderId)).toEqual([
    "old",
    "new",
  ]);
});

test("a read whose client is gone when its turn comes is not made", async () => {
  const { client, calls } = createOrders();
  const histories = createOrderHistories(client, 1);
  const history = histories.for(anonymousClient);
  const first = history.list("a", 0, wanted);
  await expect.poll(() => calls.length).toBe(1);
  const gone = () => false;
  const unwanted = history.list("b", 0, gone);
  const shared = [history.list("c", 0, gone), history.list("c", 0, wanted)];
  const ofUser = history.newestOrders("u1", gone);
  calls[0]?.answer();
  await expect.poll(() => calls.length).toBe(2);
  calls[1]?.answer();
  expect(await unwanted).toEqual([]);
  expect(await ofUser).toEqual([]);
  expect((await Promise.all([first, ...shared])).flat()).toHaveLength(3);
  expect(calls.map(({ orderId }) => orderId)).toEqual(["a", "c"]);
});

test("a client reads with its own token, and shares a reading only with its own", async () => {
  const { client, calls } = createOrders();
  const histories = createOrderHistories(client, 1);
  const as = (subject: string): ClientIdentity => ({
    principal: { kind: "customer", subject, expiresAtMs: 0 },
    authorization: `Bearer ${subject}`,
    address: "",
  });
  const first = histories.for(anonymousClient).list("a", 0, wanted);
  await expect.poll(() => calls.length).toBe(1);
  const waiting = ["ada", "ada", "bo"].map((name) => histories.for(as(name)).list("a", 0, wanted));
  expect(histories.waiting).toBe(2);
  for (const index of [0, 1, 2]) {
    await expect.poll(() => calls.length).toBe(index + 1);
    calls[index]?.answer();
  }
  await Promise.all([first, ...waiting]);
  expect(calls.map(({ authorization }) => authorization)).toEqual([
    null,
    "Bearer ada",
    "Bearer bo",
  ]);
});
