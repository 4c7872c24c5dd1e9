-- What the queue needs beside the tables of pg-boss, which live in the same schema.

-- One number for each connected bus: it holds an advisory lock on it for as long as its session
-- lives.
create sequence bus_instance as integer cycle;

-- Which jobs a consumer has in hand, one row a consumer. A row whose bus is gone is a consumer that
-- died.
create table bus_claim (
  consumer uuid primary key,
  instance integer not null,
  queue text not null,
  -- Parallel arrays: the job and which claim of it this is.
  job_ids uuid[] not null,
  retry_counts integer[] not null
) with (fillfactor = 50);

-- Who listens to a fan-out. Without a fresh row nothing is written for its event type.
create table fanout_subscriber (
  id uuid primary key,
  name text not null,
  event_type text not null,
  seen_at timestamptz not null default now()
);

-- The events of the last minute, a row for each publish and type. Subscribers read on from the
-- position they know.
create table fanout (
  position bigint generated always as identity primary key,
  event_type text not null,
  -- JSON: an array of messages.
  batch text not null,
  published_at timestamptz not null default now()
);

create index fanout_event_type on fanout (event_type, position);

-- Writes down what somebody listens to. Positions are given out under a lock that is held until the
-- commit, so that they become visible in their order: reading "position > the last one I saw"
-- misses nothing.
create function fanout_publish(types text[], batches text[]) returns void language plpgsql as $$
begin
  if not exists (
    select from fanout_subscriber
    where event_type = any (types) and seen_at > now() - interval '60 seconds'
  ) then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtext('smartcart.fanout'), hashtext(current_schema()));
  insert into fanout (event_type, batch)
  select e.type, e.batch
  from unnest(types, batches) as e (type, batch)
  where exists (
    select from fanout_subscriber s
    where s.event_type = e.type and s.seen_at > now() - interval '60 seconds'
  );
end
$$;
