-- Order ids are compared by code point ("C"), whatever the locale of the database: their order is the order in which the orders
-- were placed, and page tokens rest on it. Indexes and foreign keys over these columns are rebuilt by the statement itself.
alter table orders alter column order_id type text collate "C";
alter table order_events alter column order_id type text collate "C";
alter table idempotency_keys alter column order_id type text collate "C";
