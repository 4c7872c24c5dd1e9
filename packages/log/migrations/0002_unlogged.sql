-- The central log is the dearest table of an order after the order itself: three lines with five index entries each, a third of all
-- WAL. It is a copy of what the processes write to their standard output, so it does without WAL: a crash of PostgreSQL empties it, a
-- regular stop does not. Whoever wants it to outlive a crash says `alter table log.log_record set logged`.
ALTER TABLE log_record SET UNLOGGED;

-- Positions go on after a crash: who follows the log reads on from the last one that it has seen.
ALTER SEQUENCE log_record_position_seq SET LOGGED;
