-- Orders whose message failed and is being retried, or is a dead letter. The order service asks about an order that waits for too long, and
-- must not announce it again then: its message is not lost. A row is read only where the order has no shipment.
create table failing_order (
  order_id  text collate "C" primary key,
  failed_at timestamptz not null,
  -- Whether the message is a dead letter, which stays until a person acts. One that is retried comes back by itself, or was lost.
  is_dead   boolean not null
);

create index failing_order_by_age on failing_order (failed_at);
