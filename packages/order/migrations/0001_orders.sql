-- Orders, their history and the answers given to idempotency keys. The order service is the only writer.

create table orders (
  order_id      text primary key,
  user_id       text not null,
  state         text not null check (state in (
    'RECEIVED', 'STOCK_RESERVED', 'PAID', 'CONFIRMED', 'SHIPPING', 'SHIPPED',
    'REJECTED_REFUNDING', 'REJECTED_RELEASING', 'REJECTED',
    'CANCEL_REQUESTED', 'CANCELLED_REFUNDING', 'CANCELLED_RELEASING', 'CANCELLED')),
  items         jsonb not null,
  currency_code text not null,
  total_minor   bigint not null check (total_minor >= 0),
  address       text not null,
  payment_token text not null,
  rejection     jsonb,
  placed_at     timestamptz not null,
  trace_id      text not null,
  last_sequence integer not null check (last_sequence > 0),
  -- Until when somebody is driving the saga; after that the resumer may.
  lease_until   timestamptz not null,
  -- How often the resumer has taken it up since it last moved.
  resumptions   integer not null default 0,
  updated_at    timestamptz not null default now()
);

create index orders_by_user on orders (user_id, order_id desc);

-- What the resumer looks for. The states are those of `needsDriving` in order-state.ts; a test compares them.
create index orders_unfinished on orders (lease_until) where state in (
  'RECEIVED', 'STOCK_RESERVED', 'PAID', 'REJECTED_REFUNDING', 'REJECTED_RELEASING',
  'CANCEL_REQUESTED', 'CANCELLED_REFUNDING', 'CANCELLED_RELEASING');

create table order_events (
  order_id    text not null references orders,
  sequence    integer not null check (sequence > 0),
  milestone   integer not null check (milestone > 0),
  occurred_at timestamptz not null,
  service     text not null,
  trace_id    text not null,
  primary key (order_id, sequence)
);

create table idempotency_keys (
  idempotency_key text primary key,
  -- SHA-256 over the request, so that the same key with another body is recognised.
  fingerprint     bytea not null,
  order_id        text not null unique references orders,
  -- The first answer that was given: a serialized smartcart.order.v1.Order. Never changed once set.
  answer          bytea,
  answered_at     timestamptz,
  created_at      timestamptz not null default now()
);
