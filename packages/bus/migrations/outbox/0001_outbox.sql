-- Events that became true with the transaction that wrote them, waiting for the relay. A row is
-- deleted once the queue has confirmed it, so the table stays small.
create table outbox (
  -- Order of writing. Of one ordering key it is the order of publishing: let one writer at a time
  -- write a key.
  position bigint generated always as identity primary key,
  message_id text not null unique,
  type text not null,
  routing_key text not null,
  -- '' = no order kept.
  ordering_key text not null default '',
  body bytea not null,
  -- '' = none.
  traceparent text not null default '',
  created_at timestamptz not null default now(),
  -- Until then the row belongs to the relay run `lease_owner`; past it, that relay is taken for
  -- dead.
  leased_until timestamptz,
  lease_owner text,
  -- Failed publishes of this row while the queue was healthy.
  attempts integer not null default 0,
  -- Not before then; 'infinity' = parked, a person has to look (see last_error).
  not_before timestamptz,
  last_error text
) with (
  -- Room for the lease to be written on the same page, and early vacuum: every row is updated once
  -- and deleted.
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 500
);

create index outbox_ordering_key on outbox (ordering_key, position) where ordering_key <> '';
