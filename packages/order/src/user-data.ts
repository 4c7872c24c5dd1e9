/** What is held of a customer, and their erasure. The log says that it was done, with the hash of the customer's id. */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  BatchEraseOrdersRequest,
  ExportUserRequest,
  ExportUserResponseSchema,
} from "@smartcart/gen/order/v1/order_service_pb";
import type { Logger } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import type { HistoryEntry } from "./order.ts";
import { isFinal } from "./order-state.ts";
import { orderEventView, orderView } from "./order-view.ts";
import { listHistories, listOrders } from "./store/read-orders.ts";
import { eraseOrders, findKeysOfOrders } from "./store/user-data.ts";

/** A page of what is held of a user. */
export async function exportUser(
  { userId, pageSize, pageToken }: ExportUserRequest,
  db: Queryable,
  log: Logger,
): Promise<MessageInitShape<typeof ExportUserResponseSchema>> {
  const limit = pageSize || 20;
  const found = await listOrders(db, userId, pageToken || undefined, limit + 1);
  const page = found.slice(0, limit);
  const orderIds = page.map(({ orderId }) => orderId);
  const keys = await findKeysOfOrders(db, orderIds);
  const histories = Map.groupBy(await listHistories(db, orderIds), (entry) => entry.orderId);
  log.info("user.exported", { customer: hashOf(userId), orders: page.length });
  return {
    records: page.map((order) => ({
      order: orderView(order),
      events: (histories.get(order.orderId) ?? ([] as HistoryEntry[])).map(orderEventView),
      paymentToken: order.paymentToken,
      idempotencyKey: keys.get(order.orderId) ?? "",
      isFinal: isFinal(order.state),
    })),
    nextPageToken: found.length > limit ? (page.at(-1)?.orderId ?? "") : "",
  };
}

/** Erases a user from final orders; answers from how many. */
export async function eraseUser(
  { userId, orderIds }: BatchEraseOrdersRequest,
  db: Queryable,
  log: Logger,
): Promise<{ erased: number }> {
  const erased = await eraseOrders(db, userId, orderIds);
  log.info("user.erased", { customer: hashOf(userId), orders: erased });
  return { erased };
}

/** A hash, which finds the record of a known customer without storing the id. */
function hashOf(userId: string): string {
  return `sha256:${createHash("sha256").update(userId).digest("hex").slice(0, 16)}`;
}
