import type { Invariant, InvariantScope } from "./invariant.ts";
import { ended, inSaga } from "./invariant-sql.ts";

/** All valid histories of an ended order. */
const legalHistories = `values
  ('SHIPPED',   '{1,2,3,4,5,6}'::int[]),
  ('REJECTED',  '{1,7}'),
  ('REJECTED',  '{1,2,8}'),
  ('REJECTED',  '{1,2,8,10}'),
  ('REJECTED',  '{1,2,3,7,10}'),
  ('CANCELLED', '{1,2,3,4,9,10}')`;

/** Invariants of the order service: every order has a valid history and ends, as do its idempotency key and events. */
export function orderInvariants({ of, before, settleMs }: InvariantScope): readonly Invariant[] {
  return [
    {
      name: "every key has a response",
      description: "The response to an idempotency key is stored with the outcome of its order.",
      sql: `
        select k.idempotency_key, k.order_id, o.state
        from orders.idempotency_keys k left join orders.orders o using (order_id)
        where k.answer is null and ${of("k.order_id")} and coalesce(o.state, '') not in ('RECEIVED', 'STOCK_RESERVED', 'PAID')`,
    },
    {
      name: "sequence is contiguous",
      description: "The history of an order has the sequences 1 to `last_sequence` without gaps.",
      sql: `
        select o.order_id, o.last_sequence, array_agg(e.sequence order by e.sequence) as sequences
        from orders.orders o left join orders.order_events e using (order_id)
        where ${of("o.order_id")} group by o.order_id
        having min(e.sequence) is distinct from 1 or max(e.sequence) <> count(*) or max(e.sequence) <> o.last_sequence`,
    },
    {
      name: "only legal transitions",
      description:
        "Every history of a final order is one of the six that the state machine allows, and matches the state.",
      sql: `
        select o.order_id, o.state, array_agg(e.milestone order by e.sequence) as milestones
        from orders.orders o join orders.order_events e using (order_id)
        where ${of("o.order_id")} and o.state in ${ended} group by o.order_id
        having (o.state, array_agg(e.milestone order by e.sequence)) not in (${legalHistories})`,
    },
    {
      name: "every order becomes final",
      description: "Every order is shipped, rejected or cancelled, or making progress.",
      // An order that waits for its shipment is not stuck. One with a refusal waits for an operator.
      sql: `
        select o.order_id, o.state, o.refusal, o.resumptions, o.updated_at
        from (
          select * from orders.orders where state in ${inSaga}
          union all select * from orders.orders where state in ('CONFIRMED', 'SHIPPING')
        ) o left join shipping.shipment s using (order_id)
        where o.updated_at <= ${before}
          and not coalesce(${settleMs} > 0 and s.status = 'STARTED' and s.due_at > ${before}, false)`,
    },
    {
      name: "outboxes are empty",
      description: "Every event is published shortly after it was stored.",
      sql: `
        select message_id, ordering_key as order_id, attempts, last_error
        from orders.outbox where created_at <= ${before}`,
    },
  ];
}
