import type { Queryable } from "@smartcart/store";
import { recordSet } from "@smartcart/store";
import type { DueShipment, Shipment, ShipmentLeft, ShipmentStart } from "./shipment.ts";

// All statements of the service. Those that write several rows take them in the order of their ids.

interface ShipmentRow {
  order_id: string;
  status: Shipment["status"];
  started_at: Date | null;
  shipped_at: Date | null;
  tracking_number: string;
}

const started = recordSet({
  orderId: "text",
  startedAt: "timestamptz",
  dueAt: "timestamptz",
  traceparent: "text",
});

/**
 * Inserts those shipments whose order has none yet, nor a cancellation, in one statement, and answers their order ids. When one is due
 * goes by the database's clock: a process whose own clock is wrong must not hold a parcel back when another one takes over. One that
 * leaves at once is due no later than it starts, which is how `lockDue` knows it.
 */
export async function insertStarted(
  db: Queryable,
  starts: readonly ShipmentStart[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ order_id: string }>({
    name: "shipping.insert_started",
    text: `insert into shipment (order_id, status, started_at, due_at, traceparent)
      select "orderId", 'STARTED', "startedAt",
        case when "dueAt" > "startedAt" then now() + ("dueAt" - "startedAt") else least("startedAt", now()) end, traceparent
      from ${started.from("s", 1)} order by "orderId"
      on conflict (order_id) do nothing
      returning order_id`,
    values: [started.values(starts)],
  });
  return new Set(rows.map((row) => row.order_id));
}

/** In how many milliseconds a shipment is due, by the database's clock; 0 where one is, Infinity where none has begun. */
export async function nextDueInMs(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "shipping.next_due",
    text: `select greatest(0, extract(epoch from due_at - now()) * 1000)::float8 as ms
      from shipment where status = 'STARTED' order by due_at limit 1`,
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/**
 * Locks up to `limit` started shipments that are due, the longest overdue first. The locks are the lease: another
 * dispatcher skips these rows, and when this process dies the database frees them at once.
 */
export async function lockDue(tx: Queryable, limit: number): Promise<DueShipment[]> {
  const { rows } = await tx.query<DueShipment>({
    name: "shipping.lock_due",
    text: `select order_id as "orderId", started_at as "startedAt", due_at <= started_at as "atOnce", traceparent
      from shipment where status = 'STARTED' and due_at <= now()
      order by due_at limit $1 for update skip locked`,
    values: [limit],
  });
  return rows;
}

/** Marks shipments as shipped. The caller holds the locks of `lockDue`. */
export async function markShipped(tx: Queryable, left: readonly ShipmentLeft[]): Promise<void> {
  await tx.query({
    name: "shipping.mark_shipped",
    text: `update shipment
      set status = 'SHIPPED', shipped_at = done.shipped_at, tracking_number = done.tracking_number
      from unnest($1::text[], $2::timestamptz[], $3::text[])
        as done (order_id, shipped_at, tracking_number)
      where shipment.order_id = any($1::text[]) and shipment.order_id = done.order_id
        and shipment.status = 'STARTED'`,
    values: [
      left.map((one) => one.orderId),
      left.map((one) => one.shippedAt),
      left.map((one) => one.trackingNumber),
    ],
  });
}

/** Notes that an order is never to be shipped, unless it has a row already. */
export async function insertCancelled(db: Queryable, orderId: string): Promise<void> {
  await db.query({
    name: "shipping.insert_cancelled",
    text: `insert into shipment (order_id, status) values ($1, 'CANCELLED')
      on conflict (order_id) do nothing`,
    values: [orderId],
  });
}

const failures = recordSet({ orderId: "text", isDead: "boolean" });

/** How long a failure is known: longer than a person needs to look after dead letters. */
const failuresKept = "interval '30 days'";
/** A message that is retried comes back within the longest pause of its queue, a minute; one that has not is lost. */
const retriedWithin = "interval '5 minutes'";

/** Notes that the messages of these orders failed just now, and forgets failures of long ago. */
export async function noteFailures(
  db: Queryable,
  failed: readonly { readonly orderId: string; readonly isDead: boolean }[],
): Promise<void> {
  await db.query({
    name: "shipping.note_failures",
    text: `with forgotten as (delete from failing_order where failed_at < now() - ${failuresKept})
      insert into failing_order (order_id, failed_at, is_dead)
      select "orderId", now(), "isDead" from ${failures.from("f", 1)} order by "orderId"
      on conflict (order_id) do update set failed_at = excluded.failed_at, is_dead = excluded.is_dead`,
    values: [failures.values(failed)],
  });
}

/** Whether the message of an order failed, and is still retried or a dead letter. */
export async function isFailing(db: Queryable, orderId: string): Promise<boolean> {
  const { rows } = await db.query({
    name: "shipping.is_failing",
    text: `select from failing_order
      where order_id = $1 and (is_dead or failed_at > now() - ${retriedWithin})`,
    values: [orderId],
  });
  return rows.length > 0;
}

/** Deletes what has left or was cancelled among the shipments of these orders. */
export async function deleteShipments(db: Queryable, orderIds: readonly string[]): Promise<void> {
  await db.query({
    name: "shipping.delete",
    text: `with failures as (delete from failing_order where order_id = any($1::text[]))
      delete from shipment where order_id = any($1::text[]) and status <> 'STARTED'`,
    values: [orderIds],
  });
}

/** Reads the shipment of an order. */
export async function findShipment(db: Queryable, orderId: string): Promise<Shipment | undefined> {
  const { rows } = await db.query<ShipmentRow>({
    name: "shipping.find",
    text: `select order_id, status, started_at, shipped_at, tracking_number
      from shipment where order_id = $1`,
    values: [orderId],
  });
  const [row] = rows;
  return row && toShipment(row);
}

function toShipment(row: ShipmentRow): Shipment {
  const { order_id: orderId, started_at: startedAt, shipped_at: shippedAt } = row;
  if (startedAt === null) return { orderId, status: "CANCELLED" };
  if (shippedAt === null) return { orderId, status: "STARTED", startedAt };
  return { orderId, status: "SHIPPED", startedAt, shippedAt, trackingNumber: row.tracking_number };
}
