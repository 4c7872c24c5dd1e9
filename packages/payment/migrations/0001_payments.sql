-- One row an order, written before the provider is asked: a crash leaves a PENDING row, never an unknown charge.
CREATE TABLE payment (
  order_id           text COLLATE "C" PRIMARY KEY CHECK (length(order_id) BETWEEN 1 AND 64),
  -- Who pays how much; all unset for an order that was closed by a refund before anybody asked for money.
  user_id            text,
  currency_code      text CHECK (currency_code ~ '^[A-Z]{3}$'),
  amount_minor       bigint CHECK (amount_minor >= 0),
  -- Kept only until the provider has answered, because asking again has to say the same as the first time.
  payment_token      text,
  status             text NOT NULL
                     CHECK (status IN ('PENDING', 'CAPTURED', 'DECLINED', 'FAILED', 'REFUNDED')),
  decline_code       text NOT NULL DEFAULT '',
  provider_reference text NOT NULL DEFAULT '',
  refund_reason      text NOT NULL DEFAULT '',
  created_at         timestamptz NOT NULL DEFAULT now(),
  updated_at         timestamptz NOT NULL DEFAULT now(),
  CHECK ((user_id IS NULL) = (amount_minor IS NULL) AND (user_id IS NULL) = (currency_code IS NULL)),
  CHECK (user_id IS NOT NULL OR status = 'FAILED'),
  CHECK ((status = 'PENDING') = (payment_token IS NOT NULL)),
  CHECK ((status IN ('DECLINED', 'FAILED')) = (decline_code <> ''))
  -- Every payment is updated once, soon after its insert: leave room for that on the page.
) WITH (fillfactor = 60);
