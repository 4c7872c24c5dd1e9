-- When the resolver last asked the provider, or the payment was made. Asking changes nothing about a payment, so it has a column of its
-- own: `updated_at` is what customers see.
ALTER TABLE payment ADD COLUMN asked_at timestamptz NOT NULL DEFAULT now();

DROP INDEX payment_pending;
CREATE INDEX payment_pending ON payment (asked_at) WHERE status = 'PENDING';
