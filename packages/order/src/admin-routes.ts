import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { SearchOrdersRequest } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { ValidationError } from "@smartcart/mesh";
import { forCall } from "@smartcart/store";
import { cancelOrder } from "./cancel-order.ts";
import { orderNotFound } from "./errors.ts";
import type { OperatorActionDependencies } from "./operator-actions.ts";
import { refundOrder, resumeOrder } from "./operator-actions.ts";
import { readDossier } from "./order-dossier.ts";
import { lowestOrderId } from "./order-id.ts";
import type { OrderState } from "./order-state.ts";
import { isFinal, orderStates } from "./order-state.ts";
import { orderEventView, orderSummaryView } from "./order-view.ts";
import { listHistory } from "./store/read-orders.ts";
import type { OrderSearch } from "./store/search-orders.ts";
import { inspectOrder, searchOrders } from "./store/search-orders.ts";
import { toTimestamp } from "./times.ts";

const defaultPageSize = 50;
/** Orders that one page looks at, at most: some 20 ms of the database. */
const windowSize = 2_000;

/** The RPCs of smartcart.order.v1.OrderAdminService. */
export function orderAdminRoutes(o: OperatorActionDependencies): (router: ConnectRouter) => void {
  const { database } = o;
  const inspect = async (orderId: string) => {
    const found = await inspectOrder(database, orderId);
    if (found === undefined) throw orderNotFound(orderId);
    return found;
  };
  const summary = async (orderId: string) => ({
    order: orderSummaryView(await inspect(orderId)),
  });

  return (router) =>
    router.service(OrderAdminService, {
      async searchOrders(request, context: HandlerContext) {
        const limit = request.pageSize || defaultPageSize;
        const { search, isInProgress } = searchOf(request);
        const page = await searchOrders(forCall(database, context), search, {
          limit,
          window: windowSize,
          isInProgress,
        });
        const { found, last, hasMore } = page;
        return {
          orders: found.map(orderSummaryView),
          nextPageToken: hasMore && last ? last.orderId : "",
          ...(last && { searchedBackTo: toTimestamp(last.placedAt) }),
        };
      },
      async inspectOrder({ orderId }, context) {
        const found = await inspect(orderId);
        const [history, dossier] = await Promise.all([
          listHistory(forCall(database, context), orderId, 0),
          readDossier(orderId, o.peers, context.signal),
        ]);
        const { unavailable, ...known } = dossier;
        const events = history.map(orderEventView);
        return { order: orderSummaryView(found), events, ...known, unavailable: [...unavailable] };
      },
      async withdrawOrder({ orderId }) {
        await cancelOrder(orderId, o);
        return summary(orderId);
      },
      async refundOrder({ orderId }) {
        await refundOrder((await inspect(orderId)).order, o);
        return summary(orderId);
      },
      async resumeOrder({ orderId }) {
        await resumeOrder((await inspect(orderId)).order, o);
        return summary(orderId);
      },
    });
}

/** The conditions of a request; a time becomes the lowest id of its instant. */
function searchOf(request: SearchOrdersRequest): {
  readonly search: OrderSearch;
  /** Whether only orders that are not at their end can match. */
  readonly isInProgress: boolean;
} {
  const { placedSince, placedUntil, pageToken } = request;
  const states = request.states.map(stateOf);
  const untilId = placedUntil && lowestOrderId(timestampDate(placedUntil));
  const bounds = [untilId, pageToken].filter((id) => id !== undefined && id !== "");
  const beforeId = bounds.sort()[0];
  const search = {
    states,
    userId: request.userId,
    productId: request.productId,
    ...(placedSince && { fromId: lowestOrderId(timestampDate(placedSince)) }),
    ...(beforeId !== undefined && { beforeId }),
  };
  return { search, isInProgress: states.length > 0 && !states.some(isFinal) };
}

function stateOf(name: string, index: number): OrderState {
  const state = orderStates.find((one) => one === name);
  if (state !== undefined) return state;
  const message = `"${name}" is no state of an order. Use one of ${orderStates.join(", ")}`;
  throw new ValidationError([{ field: `states[${index}]`, message }]);
}
