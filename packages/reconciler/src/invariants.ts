/**
 * The invariants of SmartCart, each as a query for the rows that violate it. The queries do not rely on the constraints of the services:
 * they sum stock from the reservations and money from the provider's ledger. They read the schemas of all services, which no service may.
 *
 * The column `order_id` (or `product_id`, `message_id`) identifies the subject of a row. Milestones are numbers of order_milestone.proto.
 */

/** The call that repairs a violation, with no more information than its row. */
export type RepairName = "refund" | "release";

/** An invariant of the stored data. */
export interface Invariant {
  readonly name: string;
  /** The guarantee in one sentence. */
  readonly description: string;
  readonly sql: string;
  /** Unset if an operator has to decide. */
  readonly repair?: RepairName;
  /** The query reads all reservations, whatever the selection of orders. */
  readonly readsAll?: boolean;
}

/** Which rows the queries read, and from which age on an order counts as stuck. */
export interface InvariantOptions {
  /**
   * Time that an order or an event may be in progress before it counts as stuck, in milliseconds. 0: nothing may be in progress.
   */
  readonly settleMs: number;
  /** The orders to check. Default: all. */
  readonly orders?: OrderSelection;
}

/** Some orders, by their ids: those in a range and those that are named. */
export interface OrderSelection {
  readonly ranges: readonly IdRange[];
  readonly ids: readonly string[];
}

/** Ids from `from` on, and before `to` where that is set. An order's id begins with the time at which it was placed. */
export interface IdRange {
  readonly from: string;
  readonly to?: string | undefined;
}

/** A condition that holds for the selected orders, on a column with their ids. Each part of it can use an index. */
export function selects(column: string, orders: OrderSelection | undefined): string {
  if (orders === undefined) return "true";
  const ranges = orders.ranges.map(
    ({ from, to }) =>
      `${column} >= ${literal(from)}${to === undefined ? "" : ` and ${column} < ${literal(to)}`}`,
  );
  const ids = orders.ids.length > 0 ? [`${column} in (${orders.ids.map(literal).join(", ")})`] : [];
  return `(${[...ranges, ...ids].join(" or ") || "false"})`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The only ways in which the history of an order at its end can read. */
const legalHistories = `values
  ('SHIPPED',   '{1,2,3,4,5,6}'::int[]),
  ('REJECTED',  '{1,7}'),
  ('REJECTED',  '{1,2,8}'),
  ('REJECTED',  '{1,2,8,10}'),
  ('REJECTED',  '{1,2,3,7,10}'),
  ('CANCELLED', '{1,2,3,4,9,10}')`;

// As the predicates of the partial indexes on orders have them, so that what has ended is not read.
const inSaga = `(
  'RECEIVED', 'STOCK_RESERVED', 'PAID', 'REJECTED_REFUNDING', 'REJECTED_RELEASING',
  'CANCEL_REQUESTED', 'CANCELLED_REFUNDING', 'CANCELLED_RELEASING')`;
const ended = `('SHIPPED', 'REJECTED', 'CANCELLED')`;
const sold = `('CONFIRMED', 'CANCEL_REQUESTED', 'SHIPPING', 'SHIPPED')`;
// Paid for, and not given back yet.
const paid = `('PAID', 'CONFIRMED', 'CANCEL_REQUESTED', 'SHIPPING', 'SHIPPED')`;

/** Ids as the order service makes them. Whoever calls inventory or payment under another name keeps his own books. */
const isOurs = (id: string) => `${id} ~ '^ORD-[0-9A-Z]{26}'`;

/**
 * By order: how often money was taken, and what was kept of it. A charge by a longer name belongs to the order that it begins with;
 * where orders are selected by name, it is only seen within a range.
 */
const keptOf = (orders: OrderSelection | undefined) => `
  select substring(charge_id from '^ORD-[0-9A-Z]{26}') as order_id,
    count(*) filter (where kind = 'capture') as captures,
    coalesce(sum(case kind when 'capture' then amount_minor when 'refund' then -amount_minor end), 0) as kept_minor
  from (${ledgerIndexes
    .map(
      (kinds) => `select charge_id, kind, amount_minor from payment_provider.ledger_entry
        where ${kinds} and ${isOurs("charge_id")} and ${selects("charge_id", orders)}`,
    )
    .join(" union all ")}) entry group by 1`;

/** The conditions of the ledger's indexes on charges: a query without one of them reads the whole ledger. */
const ledgerIndexes = ["kind in ('capture', 'void')", "kind = 'refund'"];

/** Not of an order that was deleted after its retention: until the other services have deleted what they have of it, that is for no order. */
const notDeleted = (id: string) =>
  `not exists (select from orders.deleted_orders d where d.order_id = ${id})`;

/** Units by product that reservations hold or have sold. */
const reserved = `
  select line->>'productId' as product_id, sum((line->>'quantity')::int) as units
  from inventory.reservation, jsonb_array_elements(lines) line
  where status in ('HELD', 'COMMITTED') group by 1`;

/** The invariants that can be checked in the database alone. */
export function createInvariants({ settleMs, orders }: InvariantOptions): readonly Invariant[] {
  const before = `now() - interval '${settleMs} milliseconds'`;
  const of = (column: string) => selects(column, orders);
  const kept = keptOf(orders);
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
      name: "stock adds up",
      description: "initial = available + reserved for every product, and none is negative.",
      sql: `
        select * from inventory.stock
        where initial <> available + reserved or least(available, reserved) < 0`,
    },
    {
      name: "stock is what is reserved",
      readsAll: true,
      description:
        "The reserved units of a product are the sum of its held and committed reservations, so no unit is sold twice.",
      sql: `
        select s.product_id, s.initial, s.reserved, r.units as reserved_units
        from inventory.stock s left join (${reserved}) r using (product_id)
        where s.reserved <> coalesce(r.units, 0) or coalesce(r.units, 0) > s.initial`,
    },
    {
      name: "no orphan hold",
      description: "No units are held for an order that is final or does not exist.",
      repair: "release",
      sql: `
        select r.reservation_id as order_id, r.status, o.state
        from inventory.reservation r left join orders.orders o on o.order_id = r.reservation_id
        where r.status = 'HELD' and ${of("r.reservation_id")} and (o.order_id is null or o.state in ${ended}) and ${isOurs("r.reservation_id")}`,
    },
    {
      name: "sold units belong to paid orders",
      description: "Every committed reservation belongs to a paid order.",
      repair: "release",
      sql: `
        select r.reservation_id as order_id, o.state, r.status
        from inventory.reservation r left join orders.orders o on o.order_id = r.reservation_id
        where r.status = 'COMMITTED' and ${of("r.reservation_id")} and (o.order_id is null or o.state in ('REJECTED', 'CANCELLED'))
          and ${isOurs("r.reservation_id")} and ${notDeleted("r.reservation_id")}`,
    },
    {
      name: "sold is what is confirmed",
      description: "Every confirmed order has a committed reservation.",
      sql: `
        select o.order_id, o.state, r.status
        from orders.orders o left join inventory.reservation r on r.reservation_id = o.order_id
        where ${of("o.order_id")} and o.state in ${sold} and r.status is distinct from 'COMMITTED'`,
    },
    {
      name: "charged at most once",
      description: "The provider's ledger has at most one capture per order.",
      sql: `select order_id, captures from (${kept}) k where captures > 1`,
    },
    {
      name: "no payment without an order",
      description: "No money is kept for an order that is rejected, cancelled or does not exist.",
      repair: "refund",
      sql: `
        select k.order_id, o.state, k.kept_minor from (${kept}) k left join orders.orders o using (order_id)
        where k.kept_minor <> 0 and (o.order_id is null or o.state in ('REJECTED', 'CANCELLED'))
          and ${notDeleted("k.order_id")}`,
    },
    {
      name: "money is right",
      description: "For every paid order, captures minus refunds equal its total.",
      sql: `
        select o.order_id, o.state, o.total_minor, k.kept_minor
        from orders.orders o left join (${kept}) k using (order_id)
        where ${of("o.order_id")} and o.state in ${paid} and coalesce(k.kept_minor, 0) <> o.total_minor`,
    },
    {
      name: "books agree",
      description: "The status of every payment agrees with the provider's ledger.",
      sql: `
        select p.order_id, p.status, k.captures, k.kept_minor
        from payment.payment p left join (${kept}) k using (order_id)
        where ${isOurs("p.order_id")} and ${of("p.order_id")} and case p.status
          when 'CAPTURED' then coalesce(k.kept_minor, 0) <> p.amount_minor
          when 'PENDING' then p.created_at <= ${before}
          else coalesce(k.kept_minor, 0) <> 0 end`,
    },
    {
      name: "shipped once and only if paid",
      description:
        "An order is SHIPPED only if its shipment is, and a shipment is SHIPPED only if its order is paid.",
      sql: `
        select coalesce(o.order_id, s.order_id) as order_id, o.state, s.status, k.kept_minor
        from (select * from orders.orders where ${of("order_id")}) o
        full join (select * from shipping.shipment where ${isOurs("order_id")} and ${of("order_id")}) s
          using (order_id)
        left join (${kept}) k on k.order_id = coalesce(o.order_id, s.order_id)
        where (o.state = 'SHIPPED' and s.status is distinct from 'SHIPPED')
          or (s.status = 'SHIPPED' and (o.order_id is null or coalesce(k.kept_minor, 0) <> o.total_minor)
            and ${notDeleted("s.order_id")})`,
    },
    {
      name: "no shipment for a closed order",
      description: "No shipment was started for a cancelled, rejected or unknown order.",
      sql: `
        select s.order_id, s.status, o.state
        from shipping.shipment s left join orders.orders o using (order_id)
        where s.status in ('STARTED', 'SHIPPED') and coalesce(o.state, '') not in ${sold}
          and ${isOurs("s.order_id")} and ${of("s.order_id")} and ${notDeleted("s.order_id")}`,
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
      // A parcel may take its time; an order that waits for one is not stuck. One with a refusal waits for a person.
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
