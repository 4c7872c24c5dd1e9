-- The central log. Rows are inserted and pruned, never changed.
CREATE TABLE log_record (
  -- Order of storing. Writers take turns, so that positions become visible in their order: whoever has seen everything up
  -- to a position misses nothing by reading on from there.
  position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  record_id   text COLLATE "C" NOT NULL UNIQUE,
  occurred_at timestamptz NOT NULL,
  -- smartcart.log.v1.Severity
  severity    smallint NOT NULL CHECK (severity BETWEEN 0 AND 4),
  service     text COLLATE "C" NOT NULL,
  event       text NOT NULL,
  message     text NOT NULL,
  order_id    text COLLATE "C" NOT NULL,
  trace_id    text COLLATE "C" NOT NULL,
  -- A JSON object as text: it is read back and searched as words, never by its keys.
  attributes  text NOT NULL
);

-- Newest first is the order of every search, and what pruning goes by. It grows at its end, so it is cheap.
CREATE INDEX log_record_by_time ON log_record (occurred_at, position);

-- The two questions that are asked of years of lines: what happened to this order, and in this trace.
CREATE INDEX log_record_by_order ON log_record (order_id, occurred_at, position) WHERE order_id <> '';
CREATE INDEX log_record_by_trace ON log_record (trace_id, occurred_at, position) WHERE trace_id <> '';

-- Warnings and errors are few among many.
CREATE INDEX log_record_of_trouble ON log_record (occurred_at, position) WHERE severity >= 3;
