-- What the operations console keeps itself: the figures of the last day, and dead letters that were put aside.

create table mesh_minute (
  begins_at timestamptz primary key,
  -- A serialized smartcart.ops.v1.MeshMinute.
  figures   bytea not null
);

create table archived_dead_letter (
  queue       text not null,
  message_id  text not null,
  -- The order that it is about; empty where it is about none.
  order_id    text not null,
  archived_at timestamptz not null default now(),
  -- A serialized smartcart.ops.v1.DeadLetter, without personal data.
  letter      bytea not null,
  -- The body as it came in, for a copy of it.
  body        bytea not null,
  primary key (queue, message_id)
);

create index archived_dead_letter_by_age on archived_dead_letter (archived_at desc);
create index archived_dead_letter_by_order on archived_dead_letter (order_id, archived_at desc) where order_id <> '';
