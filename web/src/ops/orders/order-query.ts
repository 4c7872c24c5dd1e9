import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SearchOrdersRequestSchema } from "@smartcart/gen/order/v1/order_admin_service_pb";

/** What the operator asked for; "" for any. `since` and `until` are values of datetime-local fields. */
export interface OrderQuery {
  readonly state: string;
  readonly user: string;
  readonly product: string;
  readonly since: string;
  readonly until: string;
}

export const anyOrder: OrderQuery = { state: "", user: "", product: "", since: "", until: "" };

/** The states that can be chosen, and what they mean to the search. */
export const stateChoices: readonly (readonly [
  value: string,
  text: string,
  states: readonly string[],
])[] = [
  ["", "any", []],
  [
    "in-progress",
    "in progress",
    ["RECEIVED", "STOCK_RESERVED", "PAID", "CONFIRMED", "SHIPPING", "CANCEL_REQUESTED"],
  ],
  [
    "compensating",
    "being refunded or released",
    ["REJECTED_REFUNDING", "REJECTED_RELEASING", "CANCELLED_REFUNDING", "CANCELLED_RELEASING"],
  ],
  ["confirmed", "waits for its shipment", ["CONFIRMED"]],
  ["shipping", "shipping", ["SHIPPING"]],
  ["shipped", "shipped", ["SHIPPED"]],
  ["rejected", "rejected", ["REJECTED"]],
  ["cancelled", "cancelled", ["CANCELLED"]],
];

/** The query in an address: "?user=ada&state=shipped". */
export function orderQueryIn(search: string): OrderQuery {
  const parameters = new URLSearchParams(search);
  const of = (name: keyof OrderQuery): string => parameters.get(name) ?? "";
  const state = stateChoices.some(([value]) => value === of("state")) ? of("state") : "";
  return {
    state,
    user: of("user"),
    product: of("product"),
    since: of("since"),
    until: of("until"),
  };
}

/** The address of a query, below /ops/orders. */
export function searchOf(query: OrderQuery): string {
  const set = Object.entries(query).filter(([, value]) => value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}

/** The request for a page of a query. */
export function requestOf(
  query: OrderQuery,
  pageToken: string,
): MessageInitShape<typeof SearchOrdersRequestSchema> {
  const states = stateChoices.find(([value]) => value === query.state)?.[2] ?? [];
  const [since, until] = [Date.parse(query.since), Date.parse(query.until)];
  return {
    states: [...states],
    userId: query.user.trim(),
    productId: query.product.trim(),
    ...(Number.isNaN(since) ? {} : { placedSince: timestampFromMs(since) }),
    ...(Number.isNaN(until) ? {} : { placedUntil: timestampFromMs(until) }),
    pageToken,
  };
}
