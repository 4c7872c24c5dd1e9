/**
 * The promises, each as a query for what contradicts it: at rest, every one answers no row. What the customers know is in
 * schema `chaos` (see facts.ts); milestones are numbers of order_milestone.proto. A column `order_id` leads to an order's story.
 */

export interface Invariant {
  readonly name: string;
  /** What is promised, in a sentence. */
  readonly promise: string;
  readonly sql: string;
}

/** The only ways in which a history can read. */
const legalHistories = `values
  ('SHIPPED',   '{1,2,3,4,5,6}'::int[]),
  ('REJECTED',  '{1,7}'),
  ('REJECTED',  '{1,2,8}'),
  ('REJECTED',  '{1,2,3,7,10}'),
  ('CANCELLED', '{1,2,3,4,9,10}')`;

/** The order that a charge is for. It is the charge's id; a charge by another name is found by what it begins with. */
const orderOfCharge = `coalesce(substring(charge_id from '^ORD-[0-9A-Z]{26}'), charge_id)`;

const kept = `
  select ${orderOfCharge} as order_id, count(*) filter (where kind = 'capture') as captures,
    coalesce(sum(case kind when 'capture' then amount_minor when 'refund' then -amount_minor end), 0) as kept_minor
  from payment_provider.ledger_entry group by 1`;

/** Units by product that reservations of a status stand for. */
const reserved = (status: string) => `
  select line->>'productId' as product_id, sum((line->>'quantity')::int) as units
  from inventory.reservation, jsonb_array_elements(lines) line where status = '${status}' group by 1`;

const paidStates = `('CONFIRMED', 'CANCEL_REQUESTED', 'SHIPPING', 'SHIPPED')`;

export const invariants: readonly Invariant[] = [
  {
    name: "acknowledged orders exist",
    promise: "An order that a customer was told of is stored, under the key it was asked for with.",
    sql: `
      select a.key, a.order_id, a.says, k.order_id as stored_order_id
      from chaos.answer a
      left join orders.idempotency_keys k on k.idempotency_key = a.key
      left join orders.orders o on o.order_id = a.order_id
      where o.order_id is null or k.order_id is distinct from a.order_id`,
  },
  {
    name: "answers stay true",
    promise:
      "A confirmed order was confirmed and is not rejected; a rejected one is, for the reason that was given; a cancelled one stays so.",
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
    name: "every customer has an answer",
    promise:
      "Who asks again with the same key until there is an answer gets one, once the faults are over.",
    sql: `select key, operation, order_id from chaos.unanswered`,
  },
  {
    name: "one order a key",
    promise: "However often a request is sent, it makes one order.",
    sql: `
      select o.order_id, o.user_id, o.placed_at from orders.orders o
      left join orders.idempotency_keys k using (order_id) where k.order_id is null
      union all
      select min(order_id), key, null from chaos.answer group by key having count(distinct order_id) > 1`,
  },
  {
    name: "replays are byte-equal",
    promise: "The same request again gets the same bytes again.",
    sql: `select key, order_id from chaos.replay where not is_same`,
  },
  {
    name: "every key has its answer",
    promise: "The answer to a key is stored with the decision about its order.",
    sql: `select idempotency_key, order_id from orders.idempotency_keys where answer is null`,
  },
  {
    name: "stock adds up",
    promise: "initial = available + held + committed for every product, and none is negative.",
    sql: `
      select * from inventory.stock
      where initial <> available + held + committed or least(available, held, committed) < 0`,
  },
  {
    name: "stock is what is reserved",
    promise:
      "What a product has held and committed are the units of its reservations, so nothing is sold twice.",
    sql: `
      select s.product_id, s.initial, s.held, h.units as held_units, s.committed, c.units as committed_units
      from inventory.stock s
      left join (${reserved("HELD")}) h using (product_id)
      left join (${reserved("COMMITTED")}) c using (product_id)
      where s.held <> coalesce(h.units, 0) or s.committed <> coalesce(c.units, 0)
        or coalesce(h.units, 0) + coalesce(c.units, 0) > s.initial`,
  },
  {
    name: "no orphan hold",
    promise: "No units are set aside for an order that has come to its end, or for none.",
    sql: `
      select r.reservation_id as order_id, r.status, o.state
      from inventory.reservation r left join orders.orders o on o.order_id = r.reservation_id
      where r.status = 'HELD' and (o.order_id is null or o.state in ('SHIPPED', 'REJECTED', 'CANCELLED'))`,
  },
  {
    name: "sold is what is confirmed",
    promise: "A reservation is committed if and only if its order is confirmed or shipped.",
    sql: `
      select coalesce(o.order_id, r.reservation_id) as order_id, o.state, r.status
      from orders.orders o full join inventory.reservation r on r.reservation_id = o.order_id
      where (coalesce(o.state, '') in ${paidStates}) <> (coalesce(r.status, '') = 'COMMITTED')`,
  },
  {
    name: "charged at most once",
    promise: "The provider's ledger has at most one capture an order.",
    sql: `select order_id, captures from (${kept}) k where captures > 1`,
  },
  {
    name: "money is right",
    promise: "Captures less refunds are the total of a confirmed order, and nothing for any other.",
    sql: `
      select coalesce(o.order_id, k.order_id) as order_id, o.state, o.total_minor, k.kept_minor
      from orders.orders o full join (${kept}) k using (order_id)
      where coalesce(k.kept_minor, 0) <> case when o.state in ${paidStates} then o.total_minor else 0 end`,
  },
  {
    name: "books agree",
    promise: "What the payment service says of a payment is what the provider did.",
    sql: `
      select p.order_id, p.status, k.captures, k.kept_minor
      from payment.payment p left join (${kept}) k using (order_id)
      where case p.status
        when 'CAPTURED' then coalesce(k.kept_minor, 0) <> p.amount_minor
        when 'PENDING' then true
        else coalesce(k.kept_minor, 0) <> 0 end`,
  },
  {
    name: "shipped once and only if paid",
    promise: "An order is shipped if and only if its parcel left, and then it has paid.",
    sql: `
      select coalesce(o.order_id, s.order_id) as order_id, o.state, s.status, k.kept_minor
      from orders.orders o
      full join shipping.shipment s using (order_id)
      left join (${kept}) k on k.order_id = coalesce(o.order_id, s.order_id)
      where (o.state is not distinct from 'SHIPPED') <> (s.status is not distinct from 'SHIPPED')
        or (s.status = 'SHIPPED' and coalesce(k.kept_minor, 0) <> o.total_minor)`,
  },
  {
    name: "no parcel for a dead order",
    promise: "No shipment was begun for a cancelled, rejected or unknown order.",
    sql: `
      select s.order_id, s.status, o.state
      from shipping.shipment s left join orders.orders o using (order_id)
      where s.status in ('STARTED', 'SHIPPED') and coalesce(o.state, '') not in ${paidStates}`,
  },
  {
    name: "announced once",
    promise:
      "The line about the start of a shipment was written at most once an order, and for no order that has none.",
    sql: `
      select l.order_id, l.lines, s.status from chaos.start_line l left join shipping.shipment s using (order_id)
      where l.lines > 1 or coalesce(s.status, '') not in ('STARTED', 'SHIPPED')`,
  },
  {
    name: "outboxes are empty",
    promise: "Every event has been handed to the queue.",
    sql: `
      select 'orders' as schema, message_id, ordering_key as order_id, attempts, last_error from orders.outbox
      union all
      select 'shipping', message_id, ordering_key, attempts, last_error from shipping.outbox`,
  },
  {
    name: "one effect a message",
    promise:
      "Whatever a message brought about stands with its id in the inbox, so that it cannot happen again.",
    sql: `
      with effect (order_id, consumer, message_id, consumed) as (
        select order_id, 'shipping.orders', order_id || ':placed',
          exists (select from shipping.inbox where consumer = 'shipping.orders' and message_id = order_id || ':placed')
        from shipping.shipment where status in ('STARTED', 'SHIPPED')
        union all
        select order_id, 'order.shipments', order_id || ':shipped',
          exists (select from orders.inbox where consumer = 'order.shipments' and message_id = order_id || ':shipped')
        from orders.orders where state = 'SHIPPED')
      select order_id, consumer, message_id from effect where not consumed`,
  },
  {
    name: "sequence is contiguous",
    promise: "An order's history counts from 1 without a gap, up to what the order says.",
    sql: `
      select o.order_id, o.last_sequence, array_agg(e.sequence order by e.sequence) as sequences
      from orders.orders o left join orders.order_events e using (order_id) group by o.order_id
      having min(e.sequence) is distinct from 1 or max(e.sequence) <> count(*) or max(e.sequence) <> o.last_sequence`,
  },
  {
    name: "only legal transitions",
    promise:
      "Every history is one of the five that the state machine allows, and fits the order's state.",
    sql: `
      select o.order_id, o.state, array_agg(e.milestone order by e.sequence) as milestones
      from orders.orders o join orders.order_events e using (order_id)
      where o.state in ('SHIPPED', 'REJECTED', 'CANCELLED') group by o.order_id
      having (o.state, array_agg(e.milestone order by e.sequence)) not in (${legalHistories})`,
  },
  {
    name: "everything comes to its end",
    promise: "Within a minute of the last fault every order is shipped, rejected or cancelled.",
    sql: `
      select order_id, state, resumptions, updated_at from orders.orders
      where state not in ('SHIPPED', 'REJECTED', 'CANCELLED')`,
  },
  {
    name: "no message is lost",
    promise:
      "A confirmed order has its shipment, or the message that orders it is still on its way.",
    sql: `
      select o.order_id, o.state, o.updated_at from orders.orders o
      left join shipping.shipment s using (order_id)
      left join orders.outbox b on b.message_id = o.order_id || ':placed'
      where o.state = 'CONFIRMED' and s.order_id is null and b.message_id is null
        and (select coalesce(sum(messages), 0) from chaos.waiting) = 0`,
  },
  {
    name: "dead letters are the poison",
    promise: "What was given up is what nobody could have handled, and all of that.",
    sql: `
      select d.queue, d.message_id, split_part(d.message_id, ':', 1) as order_id, 'a good message' as what
      from chaos.dead_letter d left join chaos.poison p using (message_id) where p.message_id is null
      union all
      select '', p.message_id, null, 'vanished' from chaos.poison p
      left join chaos.dead_letter d using (message_id) where d.message_id is null and p.confirmed`,
  },
  {
    name: "nothing waits",
    promise: "The work queues and their retry queues are empty.",
    sql: `select * from chaos.waiting where messages > 0`,
  },
  {
    name: "watchers saw everything",
    promise:
      "Who follows an order gets every status in order, or is told to read again, and ends where the order ends.",
    sql: `
      select w.order_id, w.last_sequence as seen, o.last_sequence, w.gaps, w.resyncs, w.connections
      from chaos.watched w left join orders.orders o using (order_id)
      where (w.gaps > 0 and w.resyncs = 0) or w.last_sequence is distinct from o.last_sequence
        or w.rest_sequence is distinct from o.last_sequence`,
  },
];
