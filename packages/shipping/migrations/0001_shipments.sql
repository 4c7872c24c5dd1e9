-- One row an order, for ever: its key is what makes "shipped exactly once" true whatever arrives twice.
CREATE TABLE shipment (
  order_id        text COLLATE "C" PRIMARY KEY CHECK (length(order_id) BETWEEN 1 AND 64),
  status          text NOT NULL CHECK (status IN ('STARTED', 'SHIPPED', 'CANCELLED')),
  -- Unset on a tombstone: an order that was cancelled before its event arrived.
  started_at      timestamptz,
  -- When a started shipment is to leave.
  due_at          timestamptz,
  shipped_at      timestamptz,
  tracking_number text NOT NULL DEFAULT '',
  -- W3C trace context of the order's event, so that what follows from it stays in the same trace; empty: none.
  traceparent     text NOT NULL DEFAULT '',
  CHECK ((status = 'CANCELLED') = (started_at IS NULL)),
  CHECK ((status = 'CANCELLED') = (due_at IS NULL)),
  CHECK ((status = 'SHIPPED') = (shipped_at IS NOT NULL)),
  CHECK ((status = 'SHIPPED') = (tracking_number <> ''))
) WITH (fillfactor = 80);

-- What the dispatcher looks for. Shipped rows leave it, so it stays as small as the work in hand.
CREATE INDEX shipment_by_due_time ON shipment (due_at) WHERE status = 'STARTED';
