/**
 * The invariants, each as a query for the rows that contradict it: at rest, every query returns no row. The reconciler checks those that need the
 * database alone; these compare it with what customers, watchers and queues recorded (schema `chaos`, see facts.ts).
 * Milestones are numbers of order_milestone.proto. A column `order_id` selects the orders that the report traces.
 */
import type { Invariant } from "@smartcart/reconciler";
import { createInvariants } from "@smartcart/reconciler";

const ofCustomers: readonly Invariant[] = [
  {
    name: "acknowledged orders exist",
    description: "Every order in a response to a customer is stored with the key of the request.",
    sql: `
      select a.key, a.order_id, a.says, k.order_id as stored_order_id
      from chaos.answer a
      left join orders.idempotency_keys k on k.idempotency_key = a.key
      left join orders.orders o on o.order_id = a.order_id
      where o.order_id is null or k.order_id is distinct from a.order_id`,
  },
  {
    name: "responses stay true",
    description:
      "An order that was reported as confirmed, rejected or cancelled has been so, and does not change to a contradicting state.",
    sql: `
      select a.order_id, a.operation, a.says, o.state, h.milestones
      from chaos.answer a join orders.orders o using (order_id)
      cross join lateral (
        select array_agg(milestone order by sequence) as milestones
        from orders.order_events e where e.order_id = a.order_id) h
      where case a.says
        when 'CONFIRMED' then not (4 = any (h.milestones)) or o.state = 'REJECTED'
        when 'OUT_OF_STOCK' then not (7 = any (h.milestones)) or o.state <> 'REJECTED'
        when 'PAYMENT_DECLINED' then not (8 = any (h.milestones)) or o.state <> 'REJECTED'
        when 'CANCELLED' then o.state <> 'CANCELLED'
        when 'ORDER_ALREADY_SHIPPING' then o.state <> 'SHIPPED'
        when 'PENDING' then false
        else true end`,
  },
  {
    name: "every customer has a response",
    description:
      "A customer that repeats a request with the same key receives a final response after the faults have ended.",
    sql: `select key, operation, order_id from chaos.unanswered`,
  },
  {
    name: "one order per key",
    description: "A repeated request places one order.",
    sql: `
      select o.order_id, o.user_id, o.placed_at from orders.orders o
      left join orders.idempotency_keys k using (order_id) where k.order_id is null
      union all
      select min(order_id), key, null from chaos.answer group by key having count(distinct order_id) > 1`,
  },
  {
    name: "replays are byte-equal",
    description: "A repeated request receives the same bytes.",
    sql: `select key, order_id from chaos.replay where not is_same`,
  },
  {
    name: "announced once",
    description:
      "The start of each shipment was logged at most once, and only for orders that have one.",
    sql: `
      select l.order_id, l.lines, s.status from chaos.start_line l left join shipping.shipment s using (order_id)
      where l.lines > 1 or coalesce(s.status, '') not in ('STARTED', 'SHIPPED')`,
  },
  {
    name: "no message is lost",
    description: "Every confirmed order has a shipment, or a message that will start it.",
    sql: `
      select o.order_id, o.state, o.updated_at from orders.orders o
      left join shipping.shipment s using (order_id)
      left join orders.outbox b on b.message_id = o.order_id || ':placed'
      where o.state = 'CONFIRMED' and s.order_id is null and b.message_id is null
        and (select coalesce(sum(messages), 0) from chaos.waiting) = 0`,
  },
  {
    name: "dead letters are the poison",
    description: "The dead letters are exactly the injected poison messages.",
    sql: `
      select d.queue, d.message_id, split_part(d.message_id, ':', 1) as order_id, 'a good message' as what
      from chaos.dead_letter d left join chaos.poison p using (message_id) where p.message_id is null
      union all
      select '', p.message_id, null, 'vanished' from chaos.poison p
      left join chaos.dead_letter d using (message_id) where d.message_id is null and p.confirmed`,
  },
  {
    name: "queues are empty",
    description: "The work queues and their retry queues are empty.",
    sql: `select * from chaos.waiting where messages > 0`,
  },
  {
    name: "adjustments are in the ledger",
    description: "Every stock adjustment that was acknowledged is in the ledger, as it was sent.",
    sql: `
      select a.* from chaos.adjustment a left join inventory.stock_adjustment l using (adjustment_id)
      where l.delta is distinct from a.delta or l.product_id is distinct from a.product_id`,
  },
  {
    name: "orders have catalogue prices",
    description:
      "Every line of an order has a price that its product had, and the total of the order is the sum of its lines.",
    sql: `
      select o.order_id, item from orders.orders o, jsonb_array_elements(o.items) item
      where exists (select from chaos.price) and not exists (
        select from chaos.price p
        where p.product_id = item->>'productId' and p.price_minor = (item->>'unitPriceMinor')::bigint)
      union all
      select o.order_id, o.items from orders.orders o
      where o.total_minor <> (
        select sum((item->>'unitPriceMinor')::bigint * (item->>'quantity')::int) from jsonb_array_elements(o.items) item)`,
  },
  {
    name: "subscribers received everything",
    description:
      "Every subscriber receives each status of an order in sequence, or a resync, up to the last one.",
    sql: `
      select w.order_id, w.last_sequence as seen, o.last_sequence, w.gaps, w.resyncs, w.connections
      from chaos.watched w left join orders.orders o using (order_id)
      where (w.gaps > 0 and w.resyncs = 0) or w.last_sequence is distinct from o.last_sequence
        or w.rest_sequence is distinct from o.last_sequence`,
  },
];

/** At rest: nothing may be on its way any more. */
export const invariants: readonly Invariant[] = [
  ...ofCustomers,
  ...createInvariants({ settleMs: 0 }),
];
