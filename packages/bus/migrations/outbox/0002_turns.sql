-- One relay at a time has the turn, by a session lock, so that rows need no lease: a row is inserted and deleted, and changed only
-- where its publish failed. The few rows that wait are what an index is kept for.
drop index outbox_ordering_key;
alter table outbox drop constraint outbox_message_id_key;
alter table outbox drop column leased_until, drop column lease_owner;
create index outbox_waiting on outbox (ordering_key, position) where not_before is not null;
