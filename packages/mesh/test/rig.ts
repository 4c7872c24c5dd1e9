import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { Order_Status, OrderSchema, RejectedOrderSchema } from "@smartcart/gen/order/v1/order_pb";
import type { PlaceOrderRequest } from "@smartcart/gen/order/v1/order_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { createMetrics, silentLogger } from "@smartcart/runtime";
import type { ServerOptions } from "../src/index.ts";
import { DomainError, startServer, ValidationError } from "../src/index.ts";

/** A server on a free port; what a test does not care about is filled in. */
export function startTestServer(o: Partial<ServerOptions> = {}) {
  return startServer({
    name: "test",
    port: 0,
    portVariable: "TEST_PORT",
    host: "127.0.0.1",
    routes: inventoryRoutes,
    services: [InventoryService],
    log: silentLogger,
    metrics: createMetrics("test"),
    ...o,
  });
}

/** Stock that is there, and none of the product "gone". */
function inventoryRoutes(router: ConnectRouter): void {
  router.service(InventoryService, {
    checkStock({ productId, quantity }) {
      return { isAvailable: productId !== "gone" && quantity <= 5, available: 5 };
    },
  });
}

/** An OrderService on REST whose answers are chosen by the user id of the request. */
export function startOrderServer(o: Partial<ServerOptions> = {}) {
  return startTestServer({
    routes: orderRoutes,
    services: [OrderService],
    rest: [OrderService],
    restOptions: {
      headers: [{ name: "idempotency-key", description: "Unique", schema: { type: "string" } }],
    },
    ...o,
  });
}

function orderRoutes(router: ConnectRouter): void {
  router.service(OrderService, {
    placeOrder,
    getOrder: ({ orderId }) => ({ order: exampleOrder(orderId, Order_Status.CONFIRMED) }),
    listOrders: ({ userId, pageSize }) => ({
      orders: [exampleOrder(`ORD-${userId}-${pageSize}`, Order_Status.SHIPPED)],
    }),
    listOrderEvents: ({ orderId, afterSequence }) => ({
      events: [{ orderId, sequence: afterSequence + 1, status: "Order Received" }],
    }),
    cancelOrder: ({ orderId }) => ({ order: exampleOrder(orderId, Order_Status.CANCELLED) }),
  });
}

async function placeOrder(request: PlaceOrderRequest, context: HandlerContext) {
  const key = context.requestHeader.get("idempotency-key");
  if (key !== null) {
    context.responseHeader.set("idempotency-replayed", "true");
  }
  switch (request.userId) {
    case "pending":
      return { order: exampleOrder("ORD-2", Order_Status.PENDING) };
    case "short":
      throw outOfStock();
    case "declined":
      throw declined();
    case "unknown-product":
      throw new ValidationError([
        { field: "items[0].productId", message: "is not in the catalogue" },
      ]);
    case "reused":
      throw keyReused();
    case "in-flight":
      throw keyInUse();
    case "broken":
      throw new Error("password=hunter2 at 10.0.0.7");
    case "slow":
      await new Promise(() => {});
      return {};
    default:
      return { order: exampleOrder("ORD-1", Order_Status.CONFIRMED) };
  }
}

function exampleOrder(orderId: string, status: Order_Status) {
  return create(OrderSchema, {
    orderId,
    status,
    userId: "u1",
    items: [{ productId: "mug", name: "Mug", quantity: 2, unitPrice: usd(1250n) }],
    total: usd(2500n),
    address: "1 Main St",
    placedAt: { seconds: 1_700_000_000n },
    lastSequence: 4,
  });
}

function usd(minorUnits: bigint) {
  return { currencyCode: "USD", minorUnits };
}

function outOfStock() {
  return new DomainError({
    code: "OUT_OF_STOCK",
    rpcCode: Code.FailedPrecondition,
    title: "Out of stock",
    message: "mug: 1 left, 2 asked for. Order less.",
    httpStatus: 409,
    details: [
      {
        desc: RejectedOrderSchema,
        value: { orderId: "ORD-3", lines: [{ productId: "mug", requested: 2, available: 0 }] },
      },
    ],
  });
}

function declined() {
  return new DomainError({
    code: "PAYMENT_DECLINED",
    rpcCode: Code.FailedPrecondition,
    title: "Payment declined",
    message: "The card was declined. Pay by other means.",
    httpStatus: 402,
    details: [{ desc: RejectedOrderSchema, value: { orderId: "ORD-4", reason: "card_declined" } }],
  });
}

function keyReused() {
  return new DomainError({
    code: "IDEMPOTENCY_KEY_REUSED",
    rpcCode: Code.InvalidArgument,
    title: "The key belongs to another request",
    message: "This Idempotency-Key came with another body before. Use a new key.",
    httpStatus: 422,
  });
}

function keyInUse() {
  return new DomainError({
    code: "IDEMPOTENCY_KEY_IN_USE",
    rpcCode: Code.Aborted,
    title: "The first request with this key has no answer yet",
    message: "Repeat the request after the time stated.",
    httpStatus: 409,
    retryAfterMs: 1200,
  });
}
