-- A parcel is marked as left once the queue has its event, so no event waits in a table of its own. What waited there is told again: a
-- parcel whose event was not confirmed leaves once more, under the same id.
do $$ begin
  if to_regclass('outbox') is not null then
    update shipment set status = 'STARTED', shipped_at = null, tracking_number = ''
    where status = 'SHIPPED' and order_id in (select ordering_key from outbox);
  end if;
end $$;

drop table if exists outbox, migrations_outbox;
