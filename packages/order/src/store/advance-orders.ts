/** Moves orders. One statement is one transaction: state, history, events and the stored answer are written together or not at all. */
import type { OutgoingEvent } from "@smartcart/bus";
import { eventTypes } from "@smartcart/contract";
import type { Queryable } from "@smartcart/store";
import { hex, recordSet } from "@smartcart/store";
import type { Transition } from "../order.ts";

/** A transition with all that is written with it, in the same statement. */
export interface Advancement {
  readonly transition: Transition;
  readonly events: readonly OutgoingEvent[];
  /** A serialized `Order`, stored as the answer to the order's idempotency key unless that has one. */
  readonly answer: Uint8Array | undefined;
}

// Whatever belongs to a transition names it by its place: two of them may be of one order.
const steps = recordSet({
  place: "int",
  order_id: "text",
  from_state: "text",
  from_sequence: "int",
  to_state: "text",
  to_sequence: "int",
  rejection: "jsonb",
  milestones: "smallint[]",
  times: "timestamptz[]",
  answer: "bytea",
});

const messages = recordSet({
  nr: "int",
  place: "int",
  /** Messages of one bundle become one row. */
  bundle: "text",
  message_id: "text",
  type: "text",
  routing_key: "text",
  body_at: "int",
  body_length: "int",
  traceparent: "text",
});

/** Orders whose statuses share a row of the outbox at most: a message of some 20 KB. */
const bundleSize = 64;

/**
 * Stores transitions by compare-and-set on state and sequence. Answers for each of them whether it was stored; of the others
 * nothing was written, since their order had changed. Of several transitions of one order the first one counts.
 */
export async function advanceOrders(
  db: Queryable,
  advancements: readonly Advancement[],
  leaseMs: number,
): Promise<readonly boolean[]> {
  const { rows: messageValues, bodies } = messagesOf(advancements);
  const { rows } = await db.query<{ place: number }>({
    name: "order.advance",
    text: advanceOrdersSql,
    values: [
      steps.values(advancements.map(stepRow)),
      messages.values(messageValues),
      leaseMs,
      advancements.map(({ transition }) => transition.from.orderId),
      bodies,
    ],
  });
  const moved = new Set(rows.map(({ place }) => place));
  return advancements.map((_, place) => moved.has(place));
}

function stepRow({ transition: { from, to, history }, answer }: Advancement, place: number) {
  return {
    place,
    order_id: from.orderId,
    from_state: from.state,
    from_sequence: from.lastSequence,
    to_state: to.state,
    to_sequence: to.lastSequence,
    rejection: to.rejection ?? null,
    milestones: history.map((entry) => entry.milestone),
    times: history.map((entry) => entry.occurredAt),
    answer: answer ? hex(answer) : null,
  };
}

/** The messages of all steps as rows. Their bodies travel as bytes, one after the other: as hexadecimal text they were half of the statement. */
function messagesOf(advancements: readonly Advancement[]) {
  const bodies: Uint8Array[] = [];
  let bodyAt = 1;
  const rows = advancements.flatMap(({ events }, place) =>
    events.map((event) => {
      const { byteLength } = event.body;
      bodyAt += byteLength;
      return {
        nr: bodies.push(event.body),
        place,
        bundle: eventTypes.get(event.type)?.merges ? `${Math.floor(place / bundleSize)}` : event.id,
        message_id: event.id,
        type: event.type,
        routing_key: event.routingKey,
        body_at: bodyAt - byteLength,
        body_length: byteLength,
        traceparent: event.traceparent,
      };
    }),
  );
  return { rows, bodies: Buffer.concat(bodies) };
}

// `any($4)` makes the plan use the primary key. Without it a plan that was cached while the table was small reads the whole table.
//
// Events that the contract lets merge are merged here, as the relay does with rows: protobuf defines that the concatenation of
// messages joins their repeated fields. The statuses of 64 orders are then one row that is inserted and deleted instead of 64.
const advanceOrdersSql = `
with step as (
  select distinct on (order_id) * from ${steps.from("s", 1)} order by order_id, place
), moved as (
  update orders o
  set state = s.to_state, last_sequence = s.to_sequence, rejection = s.rejection, refusal = null,
      milestones = o.milestones || s.milestones, milestone_times = o.milestone_times || s.times,
      lease_until = now() + $3::bigint * interval '1 millisecond', resumptions = 0, updated_at = now()
  from step s
  where o.order_id = any($4::text[]) and o.order_id = s.order_id and o.state = s.from_state and o.last_sequence = s.from_sequence
  returning s.place, o.order_id, s.answer
), sent as (
  insert into outbox (message_id, type, routing_key, ordering_key, body, traceparent)
  select min(message_id), type, routing_key, case count(*) when 1 then min(order_id) else '' end,
         string_agg(substr($5::bytea, body_at, body_length), ''::bytea order by nr), case count(*) when 1 then min(traceparent) else '' end
  from ${messages.from("m", 2)} join moved using (place)
  group by type, routing_key, bundle order by min(nr)
), answered as (
  update idempotency_keys k set answer = moved.answer, answered_at = now()
  from moved
  where k.order_id = moved.order_id and moved.answer is not null and k.answer is null
)
select place from moved`;
