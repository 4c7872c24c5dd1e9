/** An order service without its server: the use cases on a real database, with a world in memory around them. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { inboxMigrations, outboxMigrations } from "@smartcart/bus";
import type { PlaceOrderRequest } from "@smartcart/gen/order/v1/order_service_pb";
import { PlaceOrderRequestSchema } from "@smartcart/gen/order/v1/order_service_pb";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase, migrate } from "@smartcart/store";
import { createTestDatabase } from "@smartcart/store/testing";
import { cancelOrder } from "../src/cancel-order.ts";
import { createCatalogue } from "../src/catalogue.ts";
import type { CrashPoints } from "../src/crash-points.ts";
import { noCrashPoints } from "../src/crash-points.ts";
import { placeOrder } from "../src/place-order.ts";
import { createOrderRepository } from "../src/repository.ts";
import { createOrderSaga } from "../src/saga/order-saga.ts";
import { listHistory } from "../src/store.ts";
import { createWorld } from "./scripted-peers.ts";

export async function setUp() {
  await using started = new AsyncDisposableStack();
  const { url } = started.use(await createTestDatabase());
  const database = started.use(createDatabase({ url, schema: "orders", log: silentLogger }));
  const directory = new URL("../migrations/", import.meta.url);
  await migrate(database, { name: "orders", directory });
  await migrate(database, outboxMigrations);
  await migrate(database, inboxMigrations);
  const { world, peers } = createWorld();
  let crashPoints: CrashPoints = noCrashPoints;
  const now = () => new Date();
  const repository = createOrderRepository(database);
  const saga = createOrderSaga({
    repository,
    peers,
    log: silentLogger,
    now,
    crashPoints: { hit: (name) => crashPoints.hit(name) },
  });
  const dependencies = {
    repository,
    saga,
    now,
    database,
    log: silentLogger,
    crashPoints: { hit: (name: Parameters<CrashPoints["hit"]>[0]) => crashPoints.hit(name) },
    catalogue: createCatalogue({ inventory: peers.inventory, log: silentLogger }),
    answerTimeoutMs: 10_000,
  };
  const running = started.move();
  return {
    world,
    database,
    repository,
    saga,
    dependencies,
    crash(points: CrashPoints) {
      crashPoints = points;
    },
    place: (request: MessageInitShape<typeof PlaceOrderRequestSchema> = {}, key?: string) =>
      placeOrder(anOrderRequest(request), key, dependencies),
    cancel: (orderId: string) => cancelOrder(orderId, dependencies),
    history: async (orderId: string) =>
      (await listHistory(database, orderId, 0)).map((entry) => entry.milestone),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function anOrderRequest(
  request: MessageInitShape<typeof PlaceOrderRequestSchema> = {},
): PlaceOrderRequest {
  return create(PlaceOrderRequestSchema, {
    userId: "u1",
    address: "1 Main St",
    items: [
      { productId: "tea", quantity: 2 },
      { productId: "pot", quantity: 1 },
    ],
    ...request,
  });
}
