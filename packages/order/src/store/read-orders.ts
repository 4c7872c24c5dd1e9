/** What is asked about orders. */
import type { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Queryable } from "@smartcart/store";
import type { HistoryEntry, StoredOrder } from "../order.ts";
import { serviceOf } from "../order.ts";
import type { OrderState } from "../order-state.ts";
import type { OrderRow } from "./order-row.ts";
import { columns, orderFromRow, unfinished } from "./order-row.ts";

/** The orders among these ids that exist. */
export async function findOrders(db: Queryable, ids: readonly string[]): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.find",
    text: `select ${columns} from orders where order_id = any($1::text[])`,
    values: [ids],
  });
  return rows.map(orderFromRow);
}

/** A user's orders, newest first, before an order id where one is given. */
export async function listOrders(
  db: Queryable,
  userId: string,
  before: string | undefined,
  limit: number,
): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.list",
    text: `select ${columns} from orders where user_id = $1 and ($2::text is null or order_id < $2)
           order by order_id desc limit $3`,
    values: [userId, before ?? null, limit],
  });
  return rows.map(orderFromRow);
}

/** The history of an order after a sequence, oldest first. A sequence may be greater than the column can hold. */
export async function listHistory(
  db: Queryable,
  orderId: string,
  afterSequence: number,
): Promise<HistoryEntry[]> {
  const { rows } = await db.query<HistoryRow>({
    name: "order.history",
    text: `select order_id, sequence, milestone, occurred_at, trace_id from order_events
           where order_id = $1 and sequence > $2::bigint order by sequence`,
    values: [orderId, afterSequence],
  });
  return rows.map(entryFromRow);
}

/** The histories of some orders, each oldest first. */
export async function listHistories(
  db: Queryable,
  orderIds: readonly string[],
): Promise<HistoryEntry[]> {
  const { rows } = await db.query<HistoryRow>({
    name: "order.histories",
    text: `select order_id, sequence, milestone, occurred_at, trace_id from order_events
           where order_id = any($1::text[]) order by order_id, sequence`,
    values: [orderIds],
  });
  return rows.map(entryFromRow);
}

/** How many orders are not settled yet, for the metrics. */
export async function countUnfinished(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: string }>({
    text: `select count(*) as count from orders where ${unfinished}`,
  });
  return Number(rows[0]?.count ?? 0);
}

/** How many orders are in each state that is not an end; states without an order are left out. A partial index each way. */
export async function countByState(db: Queryable): Promise<Partial<Record<OrderState, number>>> {
  const { rows } = await db.query<{ state: OrderState; count: string }>({
    name: "order.count-by-state",
    text: `select state, count(*) as count from orders where ${unfinished} group by 1
           union all
           select state, count(*) from orders where state in ('CONFIRMED', 'SHIPPING') group by 1`,
  });
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

interface HistoryRow {
  order_id: string;
  sequence: number;
  milestone: OrderMilestone;
  occurred_at: Date;
  trace_id: string;
}

function entryFromRow(row: HistoryRow): HistoryEntry {
  return {
    orderId: row.order_id,
    sequence: row.sequence,
    milestone: row.milestone,
    occurredAt: row.occurred_at,
    service: serviceOf(row.milestone),
    traceId: row.trace_id,
  };
}
