/** Leases on orders: the process that holds one drives the saga; expired leases may be taken over by any process. */
import type { OutgoingEvent } from "@smartcart/bus";
import type { Queryable } from "@smartcart/store";
import type { StoredOrder } from "../order.ts";
import type { OrderState } from "../order-state.ts";
import type { OrderRow } from "./order-row.ts";
import { columns, orderFromRow, unfinished } from "./order-row.ts";

/** Milliseconds until the first lease on an order in one of these states expires; 0: now, Infinity: no such order. */
export async function unfinishedDueInMs(
  db: Queryable,
  states: readonly OrderState[],
): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "order.unfinished-due",
    // A lease without end marks an order that waits for an operator.
    text: `select greatest(0, extract(epoch from lease_until - now()) * 1000)::float8 as ms from orders
           where ${unfinished} and state = any($1::text[]) and lease_until < 'infinity'
           order by lease_until limit 1`,
    values: [states],
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Milliseconds until the first order has waited for its shipment for `overdueMs`; 0: now, Infinity: none waits. */
export async function overdueInMs(db: Queryable, overdueMs: number): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "order.overdue-due",
    text: `select greatest(0, $1::bigint - extract(epoch from now() - lease_until) * 1000)::float8 as ms
           from orders where state in ('CONFIRMED', 'SHIPPING') order by lease_until limit 1`,
    values: [overdueMs],
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Leases up to `limit` orders in these states whose lease has expired. Concurrent resumers never receive the same order. */
export async function leaseUnfinished(
  db: Queryable,
  states: readonly OrderState[],
  limit: number,
  leaseMs: number,
): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.lease",
    // The subquery reads the partial index on unfinished orders from its oldest lease on, so that the cost does not grow with the
    // number of stored orders; `skip locked` lets several resumers share the work without waiting.
    text: `update orders set lease_until = now() + $2::bigint * interval '1 millisecond', resumptions = resumptions + 1
           where order_id = any (array(
             select order_id from orders where ${unfinished} and state = any($3::text[]) and lease_until < now()
             order by lease_until limit $1 for update skip locked))
           returning ${columns}`,
    values: [limit, leaseMs, states],
  });
  return rows.map(orderFromRow);
}

/**
 * Leases up to `limit` orders without shipment events for `overdueMs`. The lease doubles with each attempt, from 1 to 127 times
 * `overdueMs`, so that a shipment that never comes costs a bounded number of calls.
 */
export async function leaseOverdue(
  db: Queryable,
  limit: number,
  overdueMs: number,
): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.lease-overdue",
    text: `update orders
           set lease_until = now() + $2::bigint * interval '1 millisecond' * (2 ^ least(resumptions, 7) - 1),
               resumptions = resumptions + 1
           where order_id = any (array(
             select order_id from orders
             where state in ('CONFIRMED', 'SHIPPING') and lease_until < now() - $2::bigint * interval '1 millisecond'
             order by lease_until limit $1 for update skip locked))
           returning ${columns}`,
    values: [limit, overdueMs],
  });
  return rows.map(orderFromRow);
}

/** Shortens a lease, so that a resumer continues the order after `delayMs`. */
export async function deferOrder(db: Queryable, orderId: string, delayMs: number): Promise<void> {
  await db.query({
    name: "order.defer",
    text: `update orders set lease_until = now() + $2::bigint * interval '1 millisecond'
           where order_id = $1 and ${unfinished}`,
    values: [orderId, delayMs],
  });
}

/**
 * Parks an order for an operator, with the code of the refusal: its lease never expires. No effect if the order has changed
 * meanwhile.
 */
export async function parkOrder(db: Queryable, order: StoredOrder, refusal: string): Promise<void> {
  await db.query({
    name: "order.park",
    text: `update orders set lease_until = 'infinity', refusal = $4
           where order_id = $1 and state = $2 and last_sequence = $3`,
    values: [order.orderId, order.state, order.lastSequence, refusal],
  });
}

/** Writes a message of an order to the outbox, unless it is there. Returns whether it was written. */
export async function announce(db: Queryable, event: OutgoingEvent): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `insert into outbox (message_id, type, routing_key, ordering_key, body, traceparent)
           select $1, $2, $3, $4, $5, $6
           where not exists (select from outbox where ordering_key = $4 and message_id = $1)`,
    values: [
      event.id,
      event.type,
      event.routingKey,
      event.orderingKey,
      event.body,
      event.traceparent,
    ],
  });
  return rowCount > 0;
}
