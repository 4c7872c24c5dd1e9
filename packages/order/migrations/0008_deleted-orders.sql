-- Orders that were deleted after their retention, and of which the other services still have their parts. A row is deleted once they
-- have deleted theirs; the invariants pass over these orders meanwhile.
create table deleted_orders (
  order_id   text collate "C" primary key,
  deleted_at timestamptz not null default now()
);
