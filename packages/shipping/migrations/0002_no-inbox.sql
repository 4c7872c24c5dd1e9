-- An order has one shipment, by its key: that is what tells a copy of a message from news. Messages are not remembered any more.
drop table if exists inbox, migrations_inbox;
