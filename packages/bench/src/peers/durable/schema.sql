create table stock (
  product_id text primary key,
  available integer not null check (available >= 0)
);
create table reservation (
  order_id text not null,
  product_id text not null references stock,
  quantity integer not null,
  primary key (order_id, product_id)
);
create table payment (
  order_id text primary key,
  user_id text not null,
  amount_minor integer not null
);
create table orders (
  order_id text primary key,
  user_id text not null,
  items jsonb not null,
  address text not null,
  amount_minor integer not null,
  status text not null,
  placed_at timestamptz not null default now()
);
create table shipment (
  order_id text primary key,
  shipped_at timestamptz not null default now()
);
