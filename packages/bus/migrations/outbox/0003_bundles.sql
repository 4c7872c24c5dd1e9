-- A row may carry the statuses of many orders: compressed, they stay in the row rather than in a table beside it.
alter table outbox set (fillfactor = 100, toast_tuple_target = 8160);
