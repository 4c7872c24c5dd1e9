-- What the resolver looks for: payments whose outcome is not known, by when they were last asked about.
CREATE INDEX payment_pending ON payment (updated_at) WHERE status = 'PENDING';
