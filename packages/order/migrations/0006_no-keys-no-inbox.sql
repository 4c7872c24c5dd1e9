-- History and keys are written in the statement that writes or locks their order, and orders are never deleted: the foreign keys
-- guarded nothing, and cost a look-up and a row lock for each entry.
alter table order_events drop constraint order_events_order_id_fkey;
alter table idempotency_keys drop constraint idempotency_keys_order_id_fkey;

-- What an order has heard of its shipment stands in its state; messages are not remembered any more.
drop table if exists inbox, migrations_inbox;
