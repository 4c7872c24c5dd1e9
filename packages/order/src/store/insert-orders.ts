/** Inserts orders. One statement is one transaction: an order, its history and its key are written together or not at all. */
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Queryable } from "@smartcart/store";
import { hex, recordSet } from "@smartcart/store";
import type { StoredOrder } from "../order.ts";
import { itemToJson } from "./order-row.ts";

/** What a key is stored with. The key is unique per user. */
export interface IdempotencyRecord {
  readonly key: string;
  /** SHA-256 of the request. */
  readonly fingerprint: Uint8Array;
}

/** A new order. `idempotency` undefined: the request had no key, and a repetition is another order. */
export interface Insertion {
  readonly order: StoredOrder;
  readonly idempotency: IdempotencyRecord | undefined;
}

const input = recordSet({
  order_id: "text",
  user_id: "text",
  items: "jsonb",
  currency_code: "text",
  total_minor: "bigint",
  address: "text",
  payment_token: "text",
  placed_at: "timestamptz",
  trace_id: "text",
  idempotency_key: "text",
  fingerprint: "bytea",
});

/**
 * Inserts new orders with their first history entry. Answers the ids that were inserted; the others lost the race for
 * their idempotency key and left no trace.
 */
export async function insertOrders(
  db: Queryable,
  insertions: readonly Insertion[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  const rows = insertions.map(({ order, idempotency }) => ({
    order_id: order.orderId,
    user_id: order.userId,
    items: order.items.map(itemToJson),
    currency_code: order.currencyCode,
    total_minor: order.totalMinor.toString(),
    address: order.address,
    payment_token: order.paymentToken,
    placed_at: order.placedAt,
    trace_id: order.traceId,
    idempotency_key: idempotency?.key ?? null,
    fingerprint: idempotency ? hex(idempotency.fingerprint) : null,
  }));
  const inserted = await db.query<{ order_id: string }>({
    name: "order.insert",
    text: insertOrdersSql,
    values: [input.values(rows), OrderMilestone.RECEIVED, leaseMs],
  });
  return new Set(inserted.rows.map((row) => row.order_id));
}

// Keys are taken in sorted order, so that two batches with the same keys wait for one another instead of deadlocking.
const insertOrdersSql = `
with input as materialized (
  select * from ${input.from("i", 1)}
), taken as (
  insert into idempotency_keys (user_id, idempotency_key, fingerprint, order_id)
  select user_id, idempotency_key, fingerprint, order_id from input
  where idempotency_key is not null order by user_id, idempotency_key
  on conflict (user_id, idempotency_key) do nothing
  returning order_id
)
insert into orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token,
                    placed_at, trace_id, last_sequence, milestones, milestone_times, lease_until)
select order_id, user_id, 'RECEIVED', items, currency_code, total_minor, address, payment_token,
       placed_at, trace_id, 1, array[$2::smallint], array[placed_at],
       now() + $3::bigint * interval '1 millisecond'
from input where idempotency_key is null or order_id in (select order_id from taken)
returning order_id`;
