-- An idempotency key belongs to the user who sent it: the same key of two users is two keys.
alter table idempotency_keys add column user_id text collate "C";

update idempotency_keys k set user_id = o.user_id from orders o where o.order_id = k.order_id;

alter table idempotency_keys
  alter column user_id set not null,
  alter column idempotency_key type text collate "C",
  drop constraint idempotency_keys_pkey,
  add primary key (user_id, idempotency_key);

-- What pruning goes by. The column never changes, so that storing the answer touches no index.
create index idempotency_keys_by_age on idempotency_keys (created_at);
