-- The history of an order stands in its row: it is written when the row is written anyway, where an entry of its own cost a row and
-- an index entry each. The place in the arrays, counted from 1, is the sequence; which service made a milestone true follows from it.
--
-- The table is made anew, because the order of its columns counts: of an update PostgreSQL logs what lies between the first and
-- the last byte that differ, where the new version finds room on the page of the old one. What never changes comes first.
alter table orders rename to orders_before;
alter table orders_before rename constraint orders_pkey to orders_before_pkey;
drop index orders_by_user, orders_unfinished, orders_awaiting_shipment;

create table orders (
  order_id        text collate "C" primary key,
  user_id         text not null,
  currency_code   text not null,
  payment_token   text not null,
  trace_id        text not null,
  address         text not null,
  items           jsonb not null,
  total_minor     bigint not null check (total_minor >= 0),
  placed_at       timestamptz not null,
  -- From here on: what changes.
  state           text not null constraint orders_state_check check (state in (
    'RECEIVED', 'STOCK_RESERVED', 'PAID', 'CONFIRMED', 'SHIPPING', 'SHIPPED',
    'REJECTED_REFUNDING', 'REJECTED_RELEASING', 'REJECTED',
    'CANCEL_REQUESTED', 'CANCELLED_REFUNDING', 'CANCELLED_RELEASING', 'CANCELLED')),
  last_sequence   integer not null check (last_sequence > 0),
  -- How often the resumer has taken it up since it last moved.
  resumptions     integer not null default 0,
  -- Until when somebody is driving the saga; after that the resumer may. While it waits for its shipment: until when nobody asks.
  lease_until     timestamptz not null,
  updated_at      timestamptz not null default now(),
  milestones      smallint[] not null default '{}',
  milestone_times timestamptz[] not null default '{}',
  rejection       jsonb,
  -- Why a compensation cannot go on: such an order rests, with a lease that never ends, until a person has looked at it.
  refusal         text
) with (fillfactor = 50);

insert into orders (order_id, user_id, currency_code, payment_token, trace_id, address, items, total_minor, placed_at,
                    state, last_sequence, resumptions, lease_until, updated_at, milestones, milestone_times, rejection, refusal)
select order_id, user_id, currency_code, payment_token, trace_id, address, items, total_minor, placed_at,
       state, last_sequence, resumptions, lease_until, updated_at,
       coalesce(h.milestones, '{}'), coalesce(h.times, '{}'), rejection, refusal
from orders_before left join (
  select order_id, array_agg(milestone::smallint order by sequence) as milestones,
         array_agg(occurred_at order by sequence) as times
  from order_events group by order_id) h using (order_id)
order by order_id;

drop table order_events;
drop table orders_before;

create index orders_by_user on orders (user_id, order_id desc);
create index orders_unfinished on orders (lease_until) where state in (
  'RECEIVED', 'STOCK_RESERVED', 'PAID', 'REJECTED_REFUNDING', 'REJECTED_RELEASING',
  'CANCEL_REQUESTED', 'CANCELLED_REFUNDING', 'CANCELLED_RELEASING');
create index orders_awaiting_shipment on orders (lease_until) where state in ('CONFIRMED', 'SHIPPING');

-- One row an entry, for people and for whoever reads one order's history.
create view order_events as
select o.order_id, h.sequence::int as sequence, h.milestone::int as milestone, h.occurred_at, o.trace_id
from orders o cross join lateral unnest(o.milestones, o.milestone_times) with ordinality
  as h(milestone, occurred_at, sequence);
