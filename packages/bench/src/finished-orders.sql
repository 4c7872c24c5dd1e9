-- Orders $1 to $2, ten orders a second up to $3, of two lines out of $4 products at $5 minor units, all shipped: what each
-- service has stored at the end of such an order, so that every invariant holds.
with numbered as (
  select i, placed_at, (extract(epoch from placed_at) * 1000)::bigint as ms,
         'bench-' || to_char(i % $4::int, 'FM000000') as one,
         'bench-' || to_char((i + 1) % $4::int, 'FM000000') as other
  from (select i, $3::timestamptz - i * interval '100 milliseconds' as placed_at from generate_series($1::int, $2::int) i) numbers
), finished as (
  -- The id is a ULID: ten digits of time and sixteen more, in Crockford's base 32.
  select *, 2 * $5::bigint as total_minor, md5(i::text) as hash,
         'ORD-' || (
           select string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((ms >> (5 * (9 - place))) & 31)::int + 1, 1), '' order by place)
           from generate_series(0, 9) place) || upper(substr(md5(i::text), 1, 16)) as order_id
  from numbered
), stored as (
  insert into orders.orders (order_id, user_id, state, items, currency_code, total_minor, address, payment_token, placed_at,
                             trace_id, last_sequence, lease_until, updated_at, milestones, milestone_times)
  select order_id, 'user-' || i % 100000, 'SHIPPED',
         jsonb_build_array(
           jsonb_build_object('productId', one, 'name', 'Bench', 'quantity', 1, 'unitPriceMinor', $5::bigint::text),
           jsonb_build_object('productId', other, 'name', 'Bench', 'quantity', 1, 'unitPriceMinor', $5::bigint::text)),
         'USD', total_minor, '1 Main Street, Springfield', 'tok_visa', placed_at, hash, 6, placed_at, placed_at, array[1, 2, 3, 4, 5, 6],
         array(select placed_at + sequence * interval '10 milliseconds' from generate_series(1, 6) sequence order by 1)
  from finished order by order_id
), reserved as (
  insert into inventory.reservation (reservation_id, lines, status, expires_at, created_at, updated_at)
  select order_id,
         jsonb_build_array(jsonb_build_object('productId', one, 'quantity', 1), jsonb_build_object('productId', other, 'quantity', 1)),
         'COMMITTED', placed_at + interval '15 minutes', placed_at, placed_at
  from finished order by order_id
), sold as (
  update inventory.stock s set initial = initial + units, reserved = reserved + units
  from (select product_id, count(*)::int as units from (select one as product_id from finished union all select other from finished) lines group by 1) sold
  where s.product_id = sold.product_id
), charged as (
  insert into payment_provider.ledger_entry (charge_id, kind, currency_code, amount_minor, created_at)
  select order_id, 'capture', 'USD', total_minor, placed_at from finished order by order_id
  returning charge_id, entry_id
), paid as (
  insert into payment.payment (order_id, user_id, currency_code, amount_minor, status, provider_reference, created_at, updated_at)
  select order_id, 'user-' || i % 100000, 'USD', total_minor, 'CAPTURED', 'sim_' || entry_id, placed_at, placed_at
  from finished join charged on charge_id = order_id order by order_id
), shipped as (
  insert into shipping.shipment (order_id, status, started_at, due_at, shipped_at, tracking_number)
  select order_id, 'SHIPPED', placed_at, placed_at, placed_at, 'SC' || upper(substr(hash, 1, 12)) from finished order by order_id
)
-- Three lines of the log an order, those of a second in one batch.
insert into log.log_batch (second, stored_on, lines, highest_severity, writers, keys, record_ids, times, severities, services, events,
                           messages, order_ids, trace_ids, attributes)
select date_trunc('second', placed_at), today, count(*), 2, array['order', 'shipping'],
       array(select log.log_key(id, today) from unnest(array_agg(distinct order_id) || array_agg(distinct hash)) id),
       array_agg(hash || '-' || nr), array_agg(placed_at), array_agg(2::smallint), array_agg((array['order', 'shipping', 'shipping'])[nr]),
       array_agg((array['order.placed', 'shipping.started', 'shipping.shipped'])[nr]), array_agg('Order ' || order_id),
       array_agg(order_id), array_agg(hash), array_agg('{}'::text)
from finished, generate_series(1, 3) nr, (select (extract(epoch from $3::timestamptz)::bigint / 86400)::int as today) day
group by 1, 2 order by 1
