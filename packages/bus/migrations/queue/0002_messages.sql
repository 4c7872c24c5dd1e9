-- The queue in tables of its own, instead of pg-boss: a row for each message, inserted and deleted, and not changed in between
-- unless its handling fails.
create table message (
  -- Order of publishing. Of one publisher it is the order of delivery; positions are taken before the commit, so that those of
  -- two publishers can appear in any order.
  position bigint generated always as identity,
  -- The work queue; '<queue>.retry' while it waits for its next attempt, '<queue>.dlq' once it was given up.
  queue text not null,
  attempt integer not null default 1,
  -- Deliveries of this attempt whose consumer died.
  deliveries integer not null default 0,
  -- In '<queue>.retry' only: when it goes back to its queue.
  due_at timestamptz,
  -- Of a dead letter, and of one that waits: why, and when it was given up.
  failed_at timestamptz,
  reason text,
  -- '' = not said, as all that follows.
  message_id text not null default '',
  type text not null default '',
  routing_key text not null default '',
  traceparent text not null default '',
  content_type text not null default '',
  -- What another sender says beside that, for people to read.
  headers jsonb,
  body bytea not null,
  primary key (queue, position)
) with (
  -- A row lives for milliseconds: vacuum early, by the hundreds of pages.
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_insert_threshold = -1
);

create index message_due on message (queue, due_at) where due_at is not null;

-- What each consumer has in hand, in place of a mark on every message. Unlogged: after a crash of the server nobody is connected
-- any more, so that an empty table is right.
create unlogged table claim (
  consumer uuid primary key,
  -- The number of its bus, on which that holds an advisory lock. Without the lock the consumer is dead.
  instance integer not null,
  queue text not null,
  positions bigint[] not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200);

-- What waits in the tables of pg-boss, in its order. A version before this one that still runs fails from here on, and keeps what
-- it has to publish in its outboxes.
create function stored_bytes(message jsonb) returns bytea language plpgsql as $$
begin
  return decode(message ->> 'body', 'base64');
exception when others then
  return null;
end
$$;
create function stored_time(message jsonb) returns timestamptz language plpgsql as $$
begin
  return (message ->> 'failedAt')::timestamptz;
exception when others then
  return null;
end
$$;

do $$
begin
  if to_regclass('job') is null then return; end if;
  lock table job in access exclusive mode;
  insert into message (queue, attempt, due_at, failed_at, reason,
                       message_id, type, routing_key, traceparent, content_type, headers, body)
  select
    case when waits then job.name || '.retry' else job.name end,
    case when ours then least(greatest((m ->> 'attempt')::numeric, 1), 1000000)::integer else 1 end,
    case when waits then job.start_after end,
    case when is_dead then coalesce(stored_time(m), job.created_on) end,
    case when is_dead then coalesce(m ->> 'reason', 'given up: too many deliveries ended without an answer') end,
    case when ours then m ->> 'id' else '' end,
    case when ours then m ->> 'type' else '' end,
    case when ours then m ->> 'routingKey' else '' end,
    case when ours then m ->> 'traceparent' else '' end,
    case when not ours then 'application/json' when m ? 'contentType' then m ->> 'contentType' else '' end,
    case when ours then nullif(m - array['id', 'type', 'routingKey', 'traceparent', 'attempt', 'body', 'reason', 'failedAt', 'contentType'], '{}') end,
    case when ours then stored_bytes(m) else convert_to(m::text, 'UTF8') end
  from job
  cross join lateral jsonb_array_elements(
    case when jsonb_typeof(job.data -> 'messages') = 'array' and job.data -> 'messages' <> '[]'
      then job.data -> 'messages' else jsonb_build_array(job.data) end
  ) with ordinality as part (m, place)
  cross join lateral (select
    job.name like '%.dlq' as is_dead,
    job.name not like '%.dlq' and job.start_after > now() as waits,
    coalesce(jsonb_typeof(m) = 'object'
      and jsonb_typeof(m -> 'id') = 'string' and jsonb_typeof(m -> 'type') = 'string'
      and jsonb_typeof(m -> 'routingKey') = 'string' and jsonb_typeof(m -> 'traceparent') = 'string'
      and jsonb_typeof(m -> 'body') = 'string' and jsonb_typeof(m -> 'attempt') = 'number'
      and stored_bytes(m) is not null, false) as ours
  ) as what
  -- One in the hands of a consumer goes back: it comes twice where that consumer is not dead.
  where job.state in ('created', 'retry', 'active')
  order by job.created_on, job.id, place;
end
$$;

drop function stored_bytes(jsonb), stored_time(jsonb);
drop table if exists job, job_dependency, queue, queue_stats, schedule, subscription, version, bam, instance, warning cascade;
drop function if exists create_queue, delete_queue, job_now, job_table_format, job_table_run, job_table_run_async;
drop type if exists job_state;
drop table bus_claim, fanout, fanout_subscriber;
drop function fanout_publish;

-- Who listens to a fan-out, and how far each has read. Unlogged, as the events themselves: after a crash of the server the row is
-- gone, which tells the subscriber that it may have missed something.
create unlogged table fanout_subscriber (
  id uuid primary key,
  name text not null,
  event_type text not null,
  position bigint not null default 0,
  seen_at timestamptz not null default now()
) with (fillfactor = 50);

-- The events of the last minute that somebody listens to.
create unlogged table fanout (
  position bigint generated always as identity primary key,
  event_type text not null,
  message_id text not null,
  body bytea not null,
  published_at timestamptz not null default now()
) with (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_threshold = -1);

create index fanout_event_type on fanout (event_type, position);

-- Stores messages, by parallel arrays: those with a queue in that queue, those with `is_fanned_out` for whoever listens to their
-- type. Rings the bell of each on the channel.
create function publish(
  channel text, queues text[], is_fanned_out boolean[],
  ids text[], types text[], traceparents text[], bodies bytea[]
) returns void language plpgsql as $$
declare
  heard text[];
begin
  insert into message (queue, message_id, type, traceparent, body)
  select e.queue, e.id, e.type, e.traceparent, e.body
  from unnest(queues, ids, types, traceparents, bodies) as e (queue, id, type, traceparent, body)
  where e.queue is not null;

  heard := array(
    select distinct event_type from fanout_subscriber
    where event_type = any (types) and seen_at > now() - interval '60 seconds'
  );
  if heard <> '{}' then
    -- Positions are given out under a lock that is held until the commit, so that they become visible in their order: reading
    -- "position > the last one that I saw" misses nothing.
    perform pg_advisory_xact_lock(hashtext('smartcart.fanout'), hashtext(current_schema()));
    insert into fanout (event_type, message_id, body)
    select e.type, e.id, e.body
    from unnest(is_fanned_out, ids, types, bodies) as e (is_fanned_out, id, type, body)
    where e.is_fanned_out and e.type = any (heard);
  end if;

  perform pg_notify(channel, topic) from (
    select distinct q from unnest(queues) as q where q is not null
    union all select 'fanout:' || t from unnest(heard) as t
  ) as rung (topic);
end
$$;

-- One step of a consumer: settles the batch that it has in hand, and claims the next one, at most `max_messages`, oldest first.
--
-- `acked` and `moved` (parallel arrays) are the batch in hand; null where there is none. Fails with SC001, having done nothing,
-- where the claim is gone: the consumer was taken for dead. A message that has cost a consumer its life is claimed alone, and so
-- is what is around it. Where nothing is there, the only row says when the next delayed message is due, if there is one.
create function receive(
  from_queue text, by_consumer uuid, of_instance integer, max_messages integer,
  acked bigint[], moved bigint[], move_to text[], attempts integer[], delays_ms bigint[], reasons text[]
) returns table (
  "position" bigint, attempt integer, deliveries integer, message_id text, type text, routing_key text,
  traceparent text, content_type text, body bytea, due_in_ms integer
)
language plpgsql
-- A plan that is kept from the time when the table was empty must not read all of it now.
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
  -- What a crash of the server undoes here is delivered again.
  perform set_config('synchronous_commit', 'off', true);

  if acked is not null then
    perform from claim where consumer = by_consumer for update;
    if not found then
      raise exception 'the claim on messages of queue % was taken over', from_queue using errcode = 'SC001';
    end if;
    delete from message where queue = from_queue and position = any (acked);
    if moved <> '{}' then
      update message m set
        queue = s.queue, attempt = s.attempt, deliveries = 0, reason = s.reason,
        due_at = now() + s.delay_ms * interval '1 millisecond',
        failed_at = case when s.delay_ms is null then now() end
      from unnest(moved, move_to, attempts, delays_ms, reasons) as s (position, queue, attempt, delay_ms, reason)
      where m.queue = from_queue and m.position = s.position;
    end if;
  end if;

  if max_messages > 0 then
    -- One consumer of a queue chooses at a time, for as long as this takes. The others see what it chose, so that no message
    -- needs a mark or a lock of its own.
    perform pg_advisory_xact_lock(hashtext('smartcart.queue.' || current_schema()), hashtext(from_queue));
    update message set queue = from_queue, due_at = null, reason = null
    where (queue, position) in (
      select queue, position from message
      where queue = from_queue || '.retry' and due_at <= now() order by due_at limit max_messages
    );
    return query
      with ready as materialized (
        select * from message
        where queue = from_queue and position <> all (array(
          select unnest(positions) from claim where queue = from_queue and consumer <> by_consumer
        ))
        order by position limit max_messages
      ), chosen as materialized (
        select * from ready
        where not exists (select from ready where deliveries > 0) or position = (select min(position) from ready)
      ), claimed as (
        insert into claim (consumer, instance, queue, positions)
        select by_consumer, of_instance, from_queue, array_agg(position) from chosen having count(*) > 0
        on conflict (consumer) do update
          set instance = excluded.instance, queue = excluded.queue, positions = excluded.positions
      )
      select position, attempt, deliveries, message_id, type, routing_key, traceparent, content_type, body, null::integer
      from chosen order by position;
    if found then return; end if;
  end if;

  delete from claim where consumer = by_consumer;
  return query
    select null::bigint, null::integer, null::integer, null, null, null, null, null, null::bytea,
      ceil(greatest(0, least(extract(epoch from due_at - clock_timestamp()) * 1000, 3600000)))::integer
    from message where queue = from_queue || '.retry' and due_at is not null order by due_at limit 1;
end
$$;

-- Says that the subscriber listens and has read as far as that; false where it may have missed something and has to subscribe
-- again. Then forgets what is a minute old, and with it the subscribers that are silent or so far behind.
create function fanout_touch(subscriber uuid, has_read bigint) returns boolean language plpgsql as $$
declare
  is_known boolean;
begin
  update fanout_subscriber set seen_at = now(), position = has_read
  where id = subscriber and seen_at > now() - interval '45 seconds';
  is_known := found;
  delete from fanout_subscriber where id in (
    select s.id from fanout_subscriber s
    where s.seen_at < now() - interval '60 seconds' or exists (
      select from fanout f
      where f.event_type = s.event_type and f.position > s.position and f.published_at < now() - interval '60 seconds'
    )
    for update skip locked
  );
  delete from fanout where published_at < now() - interval '60 seconds';
  return is_known;
end
$$;
