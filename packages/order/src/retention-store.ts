/** The SQL of retention: orders are deleted here first, and then what the other services have of them. */
import type { Queryable } from "@smartcart/store";

/**
 * Deletes up to `limit` orders that have come to their end and whose id is before `beforeId`, the oldest first, with history and key,
 * and notes that the other services have to delete theirs. Answers how many. One statement; several processes may run it at once.
 */
export async function deleteEndedOrders(
  db: Queryable,
  beforeId: string,
  limit: number,
): Promise<number> {
  const { rowCount } = await db.query({
    name: "order.delete-ended",
    // The ids are in the order of time: those that are old enough stand at the beginning of the primary key.
    text: `with ended as (
             select order_id from orders
             where order_id < $1 and state in ('SHIPPED', 'REJECTED', 'CANCELLED')
             order by order_id limit $2 for update skip locked
           ), deleted as (
             delete from orders using ended where orders.order_id = ended.order_id returning orders.order_id
           ), keys as (
             delete from idempotency_keys using deleted where idempotency_keys.order_id = deleted.order_id
           )
           insert into deleted_orders (order_id) select order_id from deleted`,
    values: [beforeId, limit],
  });
  return rowCount;
}

/** Up to `limit` deleted orders of which the other services may still have something. */
export async function findDeletedOrders(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ order_id: string }>({
    name: "order.find-deleted",
    text: "select order_id from deleted_orders order by order_id limit $1",
    values: [limit],
  });
  return rows.map((row) => row.order_id);
}

/** Notes that all services have deleted these orders. */
export async function forgetDeletedOrders(db: Queryable, orderIds: readonly string[]) {
  await db.query({
    name: "order.forget-deleted",
    text: "delete from deleted_orders where order_id = any($1::text[])",
    values: [orderIds],
  });
}
