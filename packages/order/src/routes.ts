import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import type { Database } from "@smartcart/store";
import { forCall } from "@smartcart/store";
import type { CancelOrderDependencies } from "./cancel-order.ts";
import { cancelOrder } from "./cancel-order.ts";
import { orderNotFound, shipmentNotFound } from "./errors.ts";
import { findShipment } from "./find-shipment.ts";
import { idempotencyKeyOf, idempotencyReplayedHeader } from "./idempotency.ts";
import { orderEventView, orderView } from "./order-view.ts";
import type { PlaceOrderDependencies } from "./place-order.ts";
import { placeOrder, throwIfRejected } from "./place-order.ts";
import type { Peers } from "./saga/steps.ts";
import { listHistory, listOrders } from "./store/read-orders.ts";
import { eraseUser, exportUser } from "./user-data.ts";
import { watchHistory } from "./watch-order.ts";

interface RouteDependencies extends PlaceOrderDependencies, CancelOrderDependencies {
  readonly database: Database;
  readonly shipping: Peers["shipping"];
}

/** The RPCs of OrderService. Failures are DomainErrors (errors.ts); a database that is away surfaces as `ordersUnavailable`. */
export function orderRoutes(dependencies: RouteDependencies): (router: ConnectRouter) => void {
  const { database, repository, shipping, log } = dependencies;
  return (router) =>
    router.service(OrderService, {
      async placeOrder(request, context) {
        const key = idempotencyKeyOf(context);
        const answer = await placeOrder(request, key, dependencies, context.signal);
        if (answer.replayed) markReplayed(context);
        return { order: throwIfRejected(answer) };
      },
      async getOrder({ orderId }) {
        const order = await repository.find(orderId);
        if (order === undefined) throw orderNotFound(orderId);
        return { order: orderView(order) };
      },
      async listOrders({ userId, pageSize, pageToken }, context) {
        const limit = pageSize || 20;
        const orders = await listOrders(
          forCall(database, context),
          userId,
          pageToken || undefined,
          limit + 1,
        );
        const page = orders.slice(0, limit);
        const nextPageToken = orders.length > limit ? (page.at(-1)?.orderId ?? "") : "";
        return { orders: page.map(orderView), nextPageToken };
      },
      async cancelOrder({ orderId }) {
        return { order: orderView(await cancelOrder(orderId, dependencies)) };
      },
      async listOrderEvents({ orderId, afterSequence }, context) {
        const history = await listHistory(forCall(database, context), orderId, afterSequence);
        // Every order has a first entry, so nothing after 0 means no order.
        if (history.length === 0 && (await repository.find(orderId)) === undefined) {
          throw orderNotFound(orderId);
        }
        return { events: history.map(orderEventView) };
      },
      exportUser: (request, context) => exportUser(request, forCall(database, context), log),
      batchEraseOrders: (request, context) => eraseUser(request, forCall(database, context), log),
      async getOrderShipment({ orderId }, { signal }) {
        const shipment = await findShipment(shipping, orderId, signal);
        if (shipment === undefined) throw shipmentNotFound(orderId);
        return { shipment };
      },
      async *watchOrder({ orderId, afterSequence }, { signal }) {
        const request = { orderId, afterSequence, signal };
        for await (const entry of watchHistory({ ...request, ...dependencies })) {
          yield { event: orderEventView(entry) };
        }
      },
    });
}

function markReplayed(context: HandlerContext): void {
  context.responseHeader.set(idempotencyReplayedHeader, "true");
}
