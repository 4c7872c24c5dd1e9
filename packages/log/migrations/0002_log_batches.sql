-- The central log, by batch: the records that arrived together and occurred in the same second are one row, a column of each field.
-- PostgreSQL compresses the columns. A row per record, with five indexes, cost ten times the WAL.
CREATE TABLE log_batch (
  -- Order of storing. Writers take turns, so that batches become visible in their order: whoever has seen everything up
  -- to a batch misses nothing by reading on from there.
  batch            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- All records occurred in the second that begins then. So batches of different seconds do not overlap.
  second           timestamptz NOT NULL,
  -- Days from 1970-01-01 (UTC) to the day of storing.
  stored_on        integer NOT NULL,
  lines            integer NOT NULL CHECK (lines BETWEEN 1 AND 4000),
  highest_severity smallint NOT NULL,
  -- The services of the records, each once.
  writers          text[] COLLATE "C" NOT NULL,
  -- `log_key` of each order and trace of the records.
  keys             bigint[] NOT NULL,
  record_ids       text[] COLLATE "C" NOT NULL,
  times            timestamptz[] NOT NULL,
  severities       smallint[] NOT NULL,
  services         text[] COLLATE "C" NOT NULL,
  events           text[] NOT NULL,
  messages         text[] NOT NULL,
  order_ids        text[] COLLATE "C" NOT NULL,
  trace_ids        text[] COLLATE "C" NOT NULL,
  -- JSON objects as text.
  attributes       text[] NOT NULL
);

-- Newest first is the order of every search, and what pruning goes by.
CREATE INDEX log_batch_by_second ON log_batch (second);
-- Warnings and errors are few among many.
CREATE INDEX log_batch_of_trouble ON log_batch (second) WHERE highest_severity >= 3;
-- What happened to this order, and in this trace. New entries wait in a list, which every search reads, and are sorted in together.
CREATE INDEX log_batch_by_key ON log_batch USING gin (keys) WITH (gin_pending_list_limit = 1024);

-- ANALYZE would decompress all arrays and count their elements; no plan depends on them.
ALTER TABLE log_batch
  ALTER writers SET STATISTICS 0, ALTER keys SET STATISTICS 0, ALTER record_ids SET STATISTICS 0,
  ALTER times SET STATISTICS 0, ALTER severities SET STATISTICS 0, ALTER services SET STATISTICS 0,
  ALTER events SET STATISTICS 0, ALTER messages SET STATISTICS 0, ALTER order_ids SET STATISTICS 0,
  ALTER trace_ids SET STATISTICS 0, ALTER attributes SET STATISTICS 0;

-- What the index of orders and traces holds: 40 bits of a hash, after the day of storing, so that the entries of a day are
-- neighbours and a write touches few pages however old the log is. A search asks for each day that is stored.
CREATE FUNCTION log_key(id text, stored_on integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (stored_on::bigint << 40) | (hashtextextended(id, 0) & ((1::bigint << 40) - 1)) $$;

INSERT INTO log_batch (second, stored_on, lines, highest_severity, writers, keys, record_ids, times, severities, services,
  events, messages, order_ids, trace_ids, attributes)
SELECT second, today, count(*), max(severity), array_agg(DISTINCT service),
  ARRAY(SELECT DISTINCT log_key(id, today) FROM unnest(array_agg(order_id) || array_agg(trace_id)) id WHERE id <> ''),
  array_agg(record_id ORDER BY position), array_agg(occurred_at ORDER BY position), array_agg(severity ORDER BY position),
  array_agg(service ORDER BY position), array_agg(event ORDER BY position), array_agg(message ORDER BY position),
  array_agg(order_id ORDER BY position), array_agg(trace_id ORDER BY position), array_agg(attributes ORDER BY position)
FROM (
  SELECT *, extract(epoch FROM now())::bigint / 86400 AS day_number, date_trunc('second', occurred_at, 'UTC') AS second,
    (row_number() OVER (PARTITION BY date_trunc('second', occurred_at, 'UTC') ORDER BY position) - 1) / 2000 AS part
  FROM log_record
) record, LATERAL (SELECT day_number::integer AS today) day
GROUP BY second, part, today
ORDER BY min(position);

DROP TABLE log_record;

-- The records one by one. A batch has up to 4000; the position of a record tells its batch.
CREATE VIEW log_record AS
SELECT batch, batch * 4096 + place AS position, record_id, occurred_at, severity, service, event, message, order_id, trace_id,
  line.attributes
FROM log_batch, unnest(record_ids, times, severities, services, events, messages, order_ids, trace_ids, log_batch.attributes)
  WITH ORDINALITY AS line (record_id, occurred_at, severity, service, event, message, order_id, trace_id, attributes, place);
