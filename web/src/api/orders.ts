import type {
  OrderEventJson,
  OrderItemRequestJson,
  OrderJson,
} from "@smartcart/gen/order/v1/order_pb";
import type {
  ListOrderEventsResponseJson,
  ListOrdersResponseJson,
} from "@smartcart/gen/order/v1/order_service_pb";
import type { ShipmentJson } from "@smartcart/gen/shipping/v1/shipping_service_pb";
import type { MoneyJson } from "@smartcart/gen/type/v1/money_pb";
import type { TokenSource } from "../session/session.ts";
import type { Answer } from "./rest.ts";
import { callRest } from "./rest.ts";

/** Body of POST /placeOrder. */
export interface PlaceOrderBody {
  readonly userId: string;
  readonly items: readonly OrderItemRequestJson[];
  readonly address: string;
  readonly paymentToken: string;
  /** What the customer saw; at another price the order is refused with PRICE_CHANGED. Unset: at any price. */
  readonly expectedTotal?: MoneyJson;
}

/**
 * Places an order. Idempotent by `key`: the same key with the same body is one order, however often it is sent.
 * 201 is confirmed, 202 is not decided yet.
 */
export function placeOrder(
  session: TokenSource,
  key: string,
  body: string,
  signal: AbortSignal,
): Promise<Answer<OrderJson>> {
  return callRest(session, {
    method: "POST",
    path: "/placeOrder",
    body,
    signal,
    headers: { "Idempotency-Key": key },
    // The backend answers within 10 s, if only with 202.
    timeoutMs: 15_000,
  });
}

export function getOrder(
  session: TokenSource,
  orderId: string,
  signal: AbortSignal,
): Promise<Answer<OrderJson>> {
  return callRest(session, { path: `/orders/${encodeURIComponent(orderId)}`, signal });
}

/** The shipment of an order, with the tracking number once the parcel has left; 404 until it starts. */
export function getShipment(
  session: TokenSource,
  orderId: string,
  signal: AbortSignal,
): Promise<Answer<ShipmentJson>> {
  return callRest(session, { path: `/orders/${encodeURIComponent(orderId)}/shipment`, signal });
}

/** Withdraws an order. Idempotent. An order that is answered without being CANCELLED becomes so by itself. */
export function cancelOrder(
  session: TokenSource,
  orderId: string,
  signal: AbortSignal,
): Promise<Answer<OrderJson>> {
  return callRest(session, {
    method: "POST",
    path: `/orders/${encodeURIComponent(orderId)}/cancel`,
    body: "{}",
    // The backend answers within 10 s, whether refund and release are done or not.
    timeoutMs: 15_000,
    signal,
  });
}

/** The orders of a user, newest first. `pageToken` "" is the first page. */
export function listOrders(
  session: TokenSource,
  userId: string,
  pageToken: string,
  signal: AbortSignal,
): Promise<Answer<ListOrdersResponseJson>> {
  const query = new URLSearchParams({ userId, ...(pageToken && { pageToken }) });
  return callRest(session, { path: `/orders?${query}`, signal });
}

/** The history of an order after a sequence, oldest first; undefined where it cannot be had now. */
export async function listOrderEvents(
  session: TokenSource,
  orderId: string,
  afterSequence: number,
  signal: AbortSignal,
): Promise<readonly OrderEventJson[] | undefined> {
  const path = `/orders/${encodeURIComponent(orderId)}/events?afterSequence=${afterSequence}`;
  const answer = await callRest<ListOrderEventsResponseJson>(session, { path, signal });
  return answer.kind === "ok" ? (answer.body.events ?? []) : undefined;
}
