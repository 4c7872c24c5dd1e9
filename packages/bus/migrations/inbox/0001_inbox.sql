-- Messages whose effect is in this schema, one row a consumer and message: a copy that comes again
-- is recognised by it.
create table inbox (
  consumer text not null,
  message_id text not null,
  claimed_at timestamptz not null default now(),
  primary key (consumer, message_id)
);

create index inbox_claimed_at on inbox using brin (claimed_at);
