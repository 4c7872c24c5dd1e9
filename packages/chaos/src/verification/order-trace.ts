/** Everything that is stored and that the customer saw of one order, to find the cause of a broken invariant. */
import type { Queryable } from "@smartcart/store";
import type { ClientHistory } from "../load/history.ts";
import type { Finding } from "./report.ts";
import { withoutPersonalData } from "./report.ts";

const maxTraces = 3;

const sections: Readonly<Record<string, string>> = {
  order: "select * from orders.orders where order_id = $1",
  history:
    "select sequence, milestone, occurred_at from orders.order_events where order_id = $1 order by sequence",
  key: "select idempotency_key, answered_at, created_at from orders.idempotency_keys where order_id = $1",
  reservation:
    "select status, closed, lines, expires_at, created_at, updated_at from inventory.reservation where reservation_id = $1",
  payment:
    "select status, decline_code, provider_reference, created_at, updated_at from payment.payment where order_id = $1",
  ledger:
    "select entry_id, charge_id, kind, amount_minor, created_at from payment_provider.ledger_entry where left(charge_id, length($1)) = $1 order by entry_id",
  shipment:
    "select status, started_at, due_at, shipped_at from shipping.shipment where order_id = $1",
  "outbox of orders":
    "select message_id, attempts, not_before, last_error from orders.outbox where ordering_key = $1",
};

/** The traces of the first orders that contradict an invariant, at most three. */
export async function traceOrders(
  db: Queryable,
  violations: readonly Finding[],
  history: ClientHistory,
): Promise<string[][]> {
  const ids = violations.flatMap(({ rows }) =>
    rows.map((row) => (row as { order_id?: string | null }).order_id ?? ""),
  );
  const distinct = [...new Set(ids.filter((id) => id.startsWith("ORD-")))].slice(0, maxTraces);
  return Promise.all(distinct.map((id) => traceOrder(db, id, history)));
}

/** The trace as lines of text, one section per table. */
async function traceOrder(
  db: Queryable,
  orderId: string,
  history: ClientHistory,
): Promise<string[]> {
  const lines = [`trace of ${orderId}`];
  const add = (section: string, rows: readonly object[]) => {
    lines.push(`  ${section}:${rows.length === 0 ? " nothing" : ""}`);
    for (const row of rows) lines.push(`    ${withoutPersonalData(row)}`);
  };
  for (const [section, text] of Object.entries(sections)) {
    add(section, (await db.query({ text, values: [orderId] })).rows);
  }
  const [{ key } = { key: orderId }] = history.about(orderId);
  add("what the customer saw", history.about(key));
  return lines;
}
