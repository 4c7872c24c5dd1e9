/** An order as its table has it. */
import type { PricedItem, Rejection, StoredOrder } from "../order.ts";
import type { OrderState } from "../order-state.ts";
import { isSagaPending, orderStates } from "../order-state.ts";

/** Each column by its name: a statement that asks for `*` breaks in a running process when a later version adds a column. */
export const columns = `order_id, user_id, state, items, currency_code, total_minor, address, payment_token, rejection,
  placed_at, trace_id, last_sequence`;

/** The states of a pending saga, as SQL. Written out, so that the planner matches it with the partial index. */
export const unfinished = `state in (${orderStates
  .filter(isSagaPending)
  .map((state) => `'${state}'`)
  .join(", ")})`;

/** A row of `orders` as {@link columns} reads it. `bigint` columns arrive as text. */
export interface OrderRow {
  order_id: string;
  user_id: string;
  state: OrderState;
  items: ItemJson[];
  currency_code: string;
  total_minor: string;
  address: string;
  payment_token: string;
  rejection: Rejection | null;
  placed_at: Date;
  trace_id: string;
  last_sequence: number;
}

interface ItemJson {
  productId: string;
  name: string;
  quantity: number;
  unitPriceMinor: string;
}

export function itemToJson(item: PricedItem): ItemJson {
  return { ...item, unitPriceMinor: item.unitPriceMinor.toString() };
}

export function orderFromRow(row: OrderRow): StoredOrder {
  return {
    orderId: row.order_id,
    userId: row.user_id,
    state: row.state,
    items: row.items.map((item) => ({ ...item, unitPriceMinor: BigInt(item.unitPriceMinor) })),
    currencyCode: row.currency_code,
    totalMinor: BigInt(row.total_minor),
    address: row.address,
    paymentToken: row.payment_token,
    rejection: row.rejection ?? undefined,
    placedAt: row.placed_at,
    traceId: row.trace_id,
    lastSequence: row.last_sequence,
  };
}
