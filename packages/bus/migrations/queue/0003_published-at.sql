-- When a message was published: the age of the oldest is what says that a queue stands still. Retries keep it.
alter table message add column published_at timestamptz not null default now();
