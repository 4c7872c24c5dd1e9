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
    text: `INSERT INTO shipment (order_id, status, started_at, due_at, traceparent)
      SELECT "orderId", 'STARTED', "startedAt",
        CASE WHEN "dueAt" > "startedAt" THEN now() + ("dueAt" - "startedAt") ELSE least("startedAt", now()) END, traceparent
      FROM ${started.from("s", 1)} ORDER BY "orderId"
      ON CONFLICT (order_id) DO NOTHING
      RETURNING order_id`,
    values: [started.values(starts)],
  });
  return new Set(rows.map((row) => row.order_id));
}

/** In how many milliseconds a shipment is due, by the database's clock; 0 where one is, Infinity where none has begun. */
export async function nextDueInMs(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "shipping.next_due",
    text: `SELECT greatest(0, extract(epoch FROM due_at - now()) * 1000)::float8 AS ms
      FROM shipment WHERE status = 'STARTED' ORDER BY due_at LIMIT 1`,
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
    text: `SELECT order_id AS "orderId", started_at AS "startedAt", due_at <= started_at AS "atOnce", traceparent
      FROM shipment WHERE status = 'STARTED' AND due_at <= now()
      ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
    values: [limit],
  });
  return rows;
}

/** Marks shipments as shipped. The caller holds the locks of `lockDue`. */
export async function markShipped(tx: Queryable, left: readonly ShipmentLeft[]): Promise<void> {
  await tx.query({
    name: "shipping.mark_shipped",
    text: `UPDATE shipment
      SET status = 'SHIPPED', shipped_at = done.shipped_at, tracking_number = done.tracking_number
      FROM unnest($1::text[], $2::timestamptz[], $3::text[])
        AS done (order_id, shipped_at, tracking_number)
      WHERE shipment.order_id = done.order_id AND shipment.status = 'STARTED'`,
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
    text: `INSERT INTO shipment (order_id, status) VALUES ($1, 'CANCELLED')
      ON CONFLICT (order_id) DO NOTHING`,
    values: [orderId],
  });
}

/** Deletes what has left or was cancelled among the shipments of these orders. */
export async function deleteShipments(db: Queryable, orderIds: readonly string[]): Promise<void> {
  await db.query({
    name: "shipping.delete",
    text: `DELETE FROM shipment WHERE order_id = ANY($1::text[]) AND status <> 'STARTED'`,
    values: [orderIds],
  });
}

/** Reads the shipment of an order. */
export async function findShipment(db: Queryable, orderId: string): Promise<Shipment | undefined> {
  const { rows } = await db.query<ShipmentRow>({
    name: "shipping.find",
    text: `SELECT order_id, status, started_at, shipped_at, tracking_number
      FROM shipment WHERE order_id = $1`,
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
