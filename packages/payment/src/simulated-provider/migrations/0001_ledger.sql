-- The ledger of the simulated provider: what it took and gave back. In real life it is another company's.
CREATE TABLE ledger_entry (
  entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  charge_id     text COLLATE "C" NOT NULL,
  -- capture: money was taken; refund: it was given back; void: nothing was taken and nothing will be.
  kind          text NOT NULL CHECK (kind IN ('capture', 'refund', 'void')),
  currency_code text CHECK (currency_code ~ '^[A-Z]{3}$'),
  amount_minor  bigint NOT NULL CHECK (amount_minor >= 0),
  reason        text NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (CASE kind WHEN 'void' THEN amount_minor = 0 ELSE currency_code IS NOT NULL END)
);

-- The last line against a double charge: whichever comes first, a capture or a void, is the only one of its charge.
CREATE UNIQUE INDEX ledger_entry_one_decision ON ledger_entry (charge_id) WHERE kind IN ('capture', 'void');

CREATE UNIQUE INDEX ledger_entry_one_refund ON ledger_entry (charge_id) WHERE kind = 'refund';
