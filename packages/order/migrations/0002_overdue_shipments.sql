-- What the shipment chaser looks for: orders that wait for their shipment. `lease_until` says for how long nobody chases them.
create index orders_awaiting_shipment on orders (lease_until) where state in ('CONFIRMED', 'SHIPPING');
