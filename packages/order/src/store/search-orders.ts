/** What operators ask about orders. */
import type { Queryable } from "@smartcart/store";
import type { StoredOrder } from "../order.ts";
import type { OrderState } from "../order-state.ts";
import type { OrderRow } from "./order-row.ts";
import { columns, orderFromRow, unfinished } from "./order-row.ts";

/** An order, and what only operators see of it. */
export interface InspectedOrder {
  readonly order: StoredOrder;
  /** The code with which a step was refused for good; "" where none was. */
  readonly refusal: string;
  readonly updatedAt: Date;
}

/** What orders are searched for; unset conditions match all. */
export interface OrderSearch {
  readonly states?: readonly OrderState[];
  readonly userId?: string;
  readonly productId?: string;
  /** Ids from this one on, and before this one: ids are in the order in which orders were placed. */
  readonly fromId?: string;
  readonly beforeId?: string;
}

/** Orders that a search looked at. */
export interface SearchedOrders {
  /** Those that match, newest first. */
  readonly found: readonly InspectedOrder[];
  /** The oldest order that was looked at; undefined where there was none. */
  readonly last: { readonly orderId: string; readonly placedAt: Date } | undefined;
  /** Whether there may be further ones behind it. */
  readonly hasMore: boolean;
}

const inspected = `${columns}, coalesce(refusal, '') as refusal, updated_at`;
// Of the partial indexes, each by its own condition; as one condition the planner may read all orders instead.
const inProgress = `select order_id from orders where ${unfinished}
  union all select order_id from orders where state in ('CONFIRMED', 'SHIPPING')`;

/**
 * Looks at the newest `window` orders in the range, and answers up to `limit` of them that match. The window is read from an index:
 * that of the user, or that of the ids; `isInProgress` reads the few that are not at their end instead of it.
 */
export async function searchOrders(
  db: Queryable,
  search: OrderSearch,
  o: { readonly limit: number; readonly window: number; readonly isInProgress: boolean },
): Promise<SearchedOrders> {
  const { states = [], userId = "", productId = "", fromId = "", beforeId } = search;
  const { rows } = await db.query<SearchedRow>({
    name: `order.search${userId && "-user"}${o.isInProgress ? "-in-progress" : ""}`,
    text: `${o.isInProgress ? `with in_progress as materialized (${inProgress}) ` : ""}
           select * from (
             select ${inspected}, (cardinality($1::text[]) = 0 or state = any($1::text[]))
               and ($2 = '' or items @> jsonb_build_array(jsonb_build_object('productId', $2::text))) as matches
             from orders
             where order_id >= $3 and ($4::text is null or order_id < $4)
               and ${userId === "" ? "$5 = ''" : "user_id = $5"}
               ${o.isInProgress ? "and order_id in (select order_id from in_progress)" : ""}
             order by order_id desc limit $6) seen`,
    values: [states, productId, fromId, beforeId ?? null, userId, o.window],
  });
  return pageOf(rows, o);
}

/** Cuts what was seen behind the last match that there is room for. */
function pageOf(
  rows: readonly SearchedRow[],
  { limit, window }: { readonly limit: number; readonly window: number },
): SearchedOrders {
  const matching = rows.filter(({ matches }) => matches);
  const page = matching.slice(0, limit);
  const isCut = matching.length > limit;
  const last = isCut ? page.at(-1) : rows.at(-1);
  return {
    found: page.map(inspectedFromRow),
    last: last && { orderId: last.order_id, placedAt: last.placed_at },
    hasMore: isCut || rows.length === window,
  };
}

/** One order; undefined where it does not exist. */
export async function inspectOrder(
  db: Queryable,
  orderId: string,
): Promise<InspectedOrder | undefined> {
  const { rows } = await db.query<InspectedRow>({
    name: "order.inspect",
    text: `select ${inspected} from orders where order_id = $1`,
    values: [orderId],
  });
  return rows[0] && inspectedFromRow(rows[0]);
}

/**
 * Gives an order that is not at its end to the resumer at once, and forgets the refusal that it waited for. The lease of an order that
 * waits for its shipment is left alone: what it needs is its message.
 */
export async function releaseOrder(db: Queryable, orderId: string): Promise<void> {
  await db.query({
    name: "order.release",
    text: `update orders set lease_until = now(), refusal = null, resumptions = 0
           where order_id = $1 and ${unfinished}`,
    values: [orderId],
  });
}

interface InspectedRow extends OrderRow {
  refusal: string;
  updated_at: Date;
}

interface SearchedRow extends InspectedRow {
  matches: boolean;
}

function inspectedFromRow(row: InspectedRow): InspectedOrder {
  return { order: orderFromRow(row), refusal: row.refusal, updatedAt: row.updated_at };
}
