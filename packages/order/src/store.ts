/**
 * The order service's SQL. Writes come in batches: concurrent requests share one statement, and one statement is one
 * transaction, so that an order, its history, its outbox rows and its stored answer are always written together or not at all.
 */
import type { OutgoingEvent } from "@smartcart/bus";
import { OrderMilestone } from "@smartcart/gen/order/v1/order_milestone_pb";
import type { Database, Queryable } from "@smartcart/store";
import type { HistoryEntry, PricedItem, Rejection, StoredOrder, Transition } from "./order.ts";
import type { OrderState } from "./order-state.ts";
import { needsDriving, orderStates } from "./order-state.ts";

export interface IdempotencyRecord {
  readonly key: string;
  /** SHA-256 of the request. */
  readonly fingerprint: Uint8Array;
}

export interface Insertion {
  readonly order: StoredOrder;
  readonly idempotency: IdempotencyRecord | undefined;
}

export interface Advancement {
  readonly transition: Transition;
  readonly events: readonly OutgoingEvent[];
  /** A serialized `Order`, stored as the answer to the order's idempotency key unless that has one. */
  readonly answer: Uint8Array | undefined;
}

/**
 * Inserts new orders with their first history entry. Answers the ids that were inserted; the others lost the race for
 * their idempotency key and left no trace.
 */
export async function insertOrders(
  db: Queryable,
  insertions: readonly Insertion[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  const orders = insertions.map((insertion) => insertion.order);
  const { rows } = await db.query<{ order_id: string }>({
    name: "order.insert",
    text: INSERT_ORDERS,
    values: [
      orders.map((order) => order.orderId),
      orders.map((order) => order.userId),
      orders.map((order) => JSON.stringify(order.items.map(itemToJson))),
      orders.map((order) => order.currencyCode),
      orders.map((order) => order.totalMinor.toString()),
      orders.map((order) => order.address),
      orders.map((order) => order.paymentToken),
      orders.map((order) => order.placedAt),
      orders.map((order) => order.traceId),
      insertions.map((insertion) => insertion.idempotency?.key ?? null),
      insertions.map((insertion) => insertion.idempotency?.fingerprint ?? null),
      OrderMilestone.RECEIVED,
      leaseMs,
    ],
  });
  return new Set(rows.map((row) => row.order_id));
}

// Keys are taken in sorted order, so that two batches with the same keys wait for one another instead of deadlocking.
const INSERT_ORDERS = `
with input as (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
                       $8::timestamptz[], $9::text[], $10::text[], $11::bytea[])
    as i(order_id, user_id, items, currency_code, total_minor, address, payment_token,
         placed_at, trace_id, idempotency_key, fingerprint)
), taken as (
  insert into idempotency_keys (user_id, idempotency_key, fingerprint, order_id)
  select user_id, idempotency_key, fingerprint, order_id from input
  where idempotency_key is not null order by user_id, idempotency_key
  on conflict (user_id, idempotency_key) do nothing
  returning order_id
), accepted as (
  select * from input
  where idempotency_key is null or order_id in (select order_id from taken)
), stored as (
  insert into orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token,
                      placed_at, trace_id, last_sequence, lease_until)
  select order_id, user_id, 'RECEIVED', items::jsonb, currency_code, total_minor, address, payment_token,
         placed_at, trace_id, 1, now() + $13::bigint * interval '1 millisecond'
  from accepted
), history as (
  insert into order_events (order_id, sequence, milestone, occurred_at, service, trace_id)
  select order_id, 1, $12::int, placed_at, 'order', trace_id from accepted
)
select order_id from accepted`;

/**
 * Stores transitions by compare-and-set on state and sequence. Answers for each of them whether it was stored; of the others
 * nothing was written, since somebody else had moved their order. Of several transitions of one order the first one counts.
 */
export async function advanceOrders(
  db: Queryable,
  advancements: readonly Advancement[],
  leaseMs: number,
): Promise<readonly boolean[]> {
  const steps = advancements.map((advancement) => advancement.transition);
  // Whatever belongs to a transition names it by its place, counted from 1: two of them may be of one order.
  const history = steps.flatMap((step, index) =>
    step.history.map((entry) => ({ ...entry, place: index + 1 })),
  );
  const messages = advancements.flatMap((advancement, index) =>
    advancement.events.map((event) => ({ event, place: index + 1 })),
  );
  const { rows } = await db.query<{ place: string }>({
    name: "order.advance",
    text: ADVANCE_ORDERS,
    values: [
      steps.map((step) => step.from.orderId),
      steps.map((step) => step.from.state),
      steps.map((step) => step.from.lastSequence),
      steps.map((step) => step.to.state),
      steps.map((step) => step.to.lastSequence),
      steps.map((step) => (step.to.rejection ? JSON.stringify(step.to.rejection) : null)),
      advancements.map((advancement) => advancement.answer ?? null),
      history.map((entry) => entry.place),
      history.map((entry) => entry.sequence),
      history.map((entry) => entry.milestone),
      history.map((entry) => entry.occurredAt),
      history.map((entry) => entry.service),
      history.map((entry) => entry.traceId),
      messages.map((message) => message.place),
      ...eventColumns(messages.map(({ event }) => event)),
      leaseMs,
    ],
  });
  const moved = new Set(rows.map((row) => Number(row.place)));
  return advancements.map((_, index) => moved.has(index + 1));
}

const ADVANCE_ORDERS = `
with step as (
  select distinct on (order_id) *
  from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::bytea[]) with ordinality
    as s(order_id, from_state, from_sequence, to_state, to_sequence, rejection, answer, place)
  order by order_id, place
), moved as (
  update orders o
  set state = s.to_state, last_sequence = s.to_sequence, rejection = s.rejection::jsonb, refusal = null,
      lease_until = now() + $20::bigint * interval '1 millisecond', resumptions = 0, updated_at = now()
  from step s
  where o.order_id = s.order_id and o.state = s.from_state and o.last_sequence = s.from_sequence
  returning s.place, o.order_id, s.answer
), history as (
  insert into order_events (order_id, sequence, milestone, occurred_at, service, trace_id)
  select moved.order_id, h.sequence, h.milestone, h.occurred_at, h.service, h.trace_id
  from unnest($8::int[], $9::int[], $10::int[], $11::timestamptz[], $12::text[], $13::text[])
    as h(place, sequence, milestone, occurred_at, service, trace_id)
  join moved using (place)
), messages as (
  insert into outbox (message_id, type, routing_key, ordering_key, body, traceparent)
  select m.message_id, m.type, m.routing_key, moved.order_id, m.body, m.traceparent
  from unnest($14::int[], $15::text[], $16::text[], $17::text[], $18::bytea[], $19::text[]) with ordinality
    as m(place, message_id, type, routing_key, body, traceparent, position)
  join moved using (place) order by m.position
), answered as (
  update idempotency_keys k set answer = moved.answer, answered_at = now()
  from moved
  where k.order_id = moved.order_id and moved.answer is not null and k.answer is null
)
select place from moved`;

/** The orders among these ids that exist. */
export async function findOrders(db: Queryable, ids: readonly string[]): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.find",
    text: `select ${COLUMNS} from orders where order_id = any($1::text[])`,
    values: [ids],
  });
  return rows.map(orderFromRow);
}

/** A user's orders, newest first, before an order id where one is given. */
export async function listOrders(
  db: Queryable,
  userId: string,
  before: string | undefined,
  limit: number,
): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.list",
    text: `select ${COLUMNS} from orders where user_id = $1 and ($2::text is null or order_id < $2)
           order by order_id desc limit $3`,
    values: [userId, before ?? null, limit],
  });
  return rows.map(orderFromRow);
}

/** The history of an order after a sequence, oldest first. A sequence may be greater than the column can hold. */
export async function listHistory(
  db: Queryable,
  orderId: string,
  afterSequence: number,
): Promise<HistoryEntry[]> {
  const { rows } = await db.query<HistoryRow>({
    name: "order.history",
    text: `select order_id, sequence, milestone, occurred_at, service, trace_id from order_events
           where order_id = $1 and sequence > $2::bigint order by sequence`,
    values: [orderId, afterSequence],
  });
  return rows.map((row) => ({
    orderId: row.order_id,
    sequence: row.sequence,
    milestone: row.milestone,
    occurredAt: row.occurred_at,
    service: row.service,
    traceId: row.trace_id,
  }));
}

/** In how many milliseconds the first order in one of these states may be taken up. Infinity where there is none. */
export async function unfinishedDueInMs(
  db: Queryable,
  states: readonly OrderState[],
): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "order.unfinished-due",
    // A lease without end is a person's matter.
    text: `select greatest(0, extract(epoch from lease_until - now()) * 1000)::float8 as ms from orders
           where ${UNFINISHED} and state = any($1::text[]) and lease_until < 'infinity'
           order by lease_until limit 1`,
    values: [states],
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** In how many milliseconds the first order has waited for its shipment for `overdueMs`. Infinity where none waits. */
export async function overdueInMs(db: Queryable, overdueMs: number): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    name: "order.overdue-due",
    text: `select greatest(0, $1::bigint - extract(epoch from now() - lease_until) * 1000)::float8 as ms
           from orders where state in ('CONFIRMED', 'SHIPPING') order by lease_until limit 1`,
    values: [overdueMs],
  });
  return rows[0]?.ms ?? Number.POSITIVE_INFINITY;
}

/** Takes up to `limit` orders in one of these states that nobody drives, and leases them. Several resumers never take the same one. */
export async function leaseUnfinished(
  db: Queryable,
  states: readonly OrderState[],
  limit: number,
  leaseMs: number,
): Promise<StoredOrder[]> {
  const { rows } = await db.query<OrderRow>({
    name: "order.lease",
    text: `update orders set lease_until = now() + $2::bigint * interval '1 millisecond', resumptions = resumptions + 1
           where order_id in (
             select order_id from orders where ${UNFINISHED} and state = any($3::text[]) and lease_until < now()
             order by lease_until limit $1 for update skip locked)
           returning ${COLUMNS}`,
    values: [limit, leaseMs, states],
  });
  return rows.map(orderFromRow);
}

/**
 * Takes up to `limit` orders that heard nothing of their shipment for `overdueMs`, and lets them rest for as long, twice as long,
 * four times as long …, up to some 128 times.
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
           where order_id in (
             select order_id from orders
             where state in ('CONFIRMED', 'SHIPPING') and lease_until < now() - $2::bigint * interval '1 millisecond'
             order by lease_until limit $1 for update skip locked)
           returning ${COLUMNS}`,
    values: [limit, overdueMs],
  });
  return rows.map(orderFromRow);
}

/** Writes a message of an order into the outbox unless it stands there. Answers whether it was written. */
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

/** Gives a lease back early, so that the resumer looks at the order again after `delayMs`. */
export async function deferOrder(db: Queryable, orderId: string, delayMs: number): Promise<void> {
  await db.query({
    name: "order.defer",
    text: `update orders set lease_until = now() + $2::bigint * interval '1 millisecond'
           where order_id = $1 and ${UNFINISHED}`,
    values: [orderId, delayMs],
  });
}

/** How many orders are not settled yet, for the metrics. */
export async function countUnfinished(db: Database): Promise<number> {
  const { rows } = await db.query<{ count: string }>({
    text: `select count(*) as count from orders where ${UNFINISHED}`,
  });
  return Number(rows[0]?.count ?? 0);
}

/** How many orders are in each state that is not an end; states without an order are left out. A partial index each way. */
export async function countByState(db: Database): Promise<Partial<Record<OrderState, number>>> {
  const { rows } = await db.query<{ state: OrderState; count: string }>({
    name: "order.count-by-state",
    text: `select state, count(*) as count from orders where ${UNFINISHED} group by 1
           union all
           select state, count(*) from orders where state in ('CONFIRMED', 'SHIPPING') group by 1`,
  });
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

/**
 * Leaves an order where it is until a person has looked at it, and notes with which code it was refused. Nothing happens where
 * it has moved meanwhile.
 */
export async function parkOrder(db: Queryable, order: StoredOrder, refusal: string): Promise<void> {
  await db.query({
    name: "order.park",
    text: `update orders set lease_until = 'infinity', refusal = $4
           where order_id = $1 and state = $2 and last_sequence = $3`,
    values: [order.orderId, order.state, order.lastSequence, refusal],
  });
}

// Each by its name: a statement that asks for "*" breaks in a running process when a later version adds a column.
const COLUMNS = `order_id, user_id, state, items, currency_code, total_minor, address, payment_token, rejection,
  placed_at, trace_id, last_sequence`;

// Written out, so that the planner matches it with the partial index.
export const UNFINISHED = `state in (${orderStates
  .filter(needsDriving)
  .map((state) => `'${state}'`)
  .join(", ")})`;

interface OrderRow {
  order_id: string;
  user_id: string;
  state: OrderState;
  items: ItemJson[];
  currency_code: string;
  total_minor: string;
  address: string;
  payment_token: string;
  rejection: Rejection | null;
  placed_at: Date;
  trace_id: string;
  last_sequence: number;
}

interface HistoryRow {
  order_id: string;
  sequence: number;
  milestone: OrderMilestone;
  occurred_at: Date;
  service: string;
  trace_id: string;
}

interface ItemJson {
  productId: string;
  name: string;
  quantity: number;
  unitPriceMinor: string;
}

function itemToJson(item: PricedItem): ItemJson {
  return { ...item, unitPriceMinor: item.unitPriceMinor.toString() };
}

function orderFromRow(row: OrderRow): StoredOrder {
  return {
    orderId: row.order_id,
    userId: row.user_id,
    state: row.state,
    items: row.items.map((item) => ({ ...item, unitPriceMinor: BigInt(item.unitPriceMinor) })),
    currencyCode: row.currency_code,
    totalMinor: BigInt(row.total_minor),
    address: row.address,
    paymentToken: row.payment_token,
    rejection: row.rejection ?? undefined,
    placedAt: row.placed_at,
    traceId: row.trace_id,
    lastSequence: row.last_sequence,
  };
}

function eventColumns(events: readonly OutgoingEvent[]): unknown[] {
  return [
    events.map((event) => event.id),
    events.map((event) => event.type),
    events.map((event) => event.routingKey),
    events.map((event) => event.body),
    events.map((event) => event.traceparent),
  ];
}
