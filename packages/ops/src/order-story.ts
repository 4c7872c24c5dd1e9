/** All that is known about one order, asked of the order service, which asks payment and shipping, and of the log. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import type { OrderStorySchema } from "@smartcart/gen/ops/v1/order_story_pb";
import type { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import type { DeadLetterActions } from "./dead-letter-actions.ts";
import { orderNotFound } from "./errors.ts";

/** Where a story comes from. Calls carry the operator's own token. */
export interface StorySources {
  readonly orders: Pick<ServiceClient<typeof OrderAdminService>, "inspectOrder">;
  readonly logs: Pick<ServiceClient<typeof LogService>, "searchLogs">;
  readonly deadLetters: Pick<DeadLetterActions, "list">;
}

/** Log records of a story, the newest. */
const maxRecords = 500;
const maxDeadLetters = 50;

/** The story of an order. Throws ORDER_NOT_FOUND; a service that does not answer is named in it. */
export async function tellOrderStory(
  orderId: string,
  o: StorySources,
  { requestHeader, signal }: Pick<HandlerContext, "requestHeader" | "signal">,
): Promise<MessageInitShape<typeof OrderStorySchema>> {
  const authorization = requestHeader.get("authorization");
  const call = { signal, headers: authorization === null ? {} : { authorization } };
  const unavailable: string[] = [];
  const part = async <T>(service: string, asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked;
    } catch (error) {
      if (ConnectError.from(error).code !== Code.NotFound) unavailable.push(service);
      return undefined;
    }
  };
  const filter = { orderId };
  const [order, logs, deadLetters] = await Promise.all([
    o.orders.inspectOrder({ orderId }, call).catch((error: unknown) => {
      if (ConnectError.from(error).code === Code.NotFound) throw orderNotFound(orderId);
      unavailable.push("order");
    }),
    part("log", o.logs.searchLogs({ filter, pageSize: maxRecords }, call)),
    part("queue", o.deadLetters.list({ queue: "", orderId, limit: maxDeadLetters })),
  ]);
  return {
    ...(order?.order && { order: order.order }),
    events: order?.events ?? [],
    ...(order?.payment && { payment: order.payment }),
    ...(order?.shipment && { shipment: order.shipment }),
    records: logs?.records.toReversed() ?? [],
    deadLetters: deadLetters ?? [],
    unavailable: [...unavailable, ...(order?.unavailable ?? [])].sort(),
  };
}
