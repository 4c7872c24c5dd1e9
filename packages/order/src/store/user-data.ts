/** The SQL of a customer's rights: what is held of them, and their erasure. */
import type { Queryable } from "@smartcart/store";

/** What stands in an erased order in place of the address. Its user is "", which no customer can be. */
const erasedAddress = "[erased]";

/** The idempotency keys of these orders, by order id. Orders without one are left out. */
export async function findKeysOfOrders(
  db: Queryable,
  orderIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ order_id: string; idempotency_key: string }>({
    name: "order.keys-of-orders",
    text: "select order_id, idempotency_key from idempotency_keys where order_id = any($1::text[])",
    values: [orderIds],
  });
  return new Map(rows.map((row) => [row.order_id, row.idempotency_key]));
}

/**
 * Erases a user from those of these orders that are theirs and have come to their end, with their keys, and deletes the user's keys of
 * orders that are gone. Answers how many orders. One statement: it is done as a whole or not at all.
 */
export async function eraseOrders(
  db: Queryable,
  userId: string,
  orderIds: readonly string[],
): Promise<number> {
  const { rows } = await db.query<{ erased: string }>({
    name: "order.erase",
    text: `with erased as (
             update orders set user_id = '', address = $3, payment_token = ''
             where order_id = any($2::text[]) and user_id = $1 and state in ('SHIPPED', 'REJECTED', 'CANCELLED')
             returning order_id
           ), keys as (
             delete from idempotency_keys k where user_id = $1 and (
               order_id in (select order_id from erased)
               or not exists (select from orders o where o.order_id = k.order_id))
           )
           select count(*) as erased from erased`,
    values: [userId, orderIds, erasedAddress],
  });
  return Number(rows[0]?.erased ?? 0);
}
