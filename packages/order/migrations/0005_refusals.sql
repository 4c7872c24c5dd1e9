-- Why a compensation cannot go on: the code with which the other part refused it for good. Such an order rests where it is, with a
-- lease that never ends, until a person has looked at it; null everywhere else.
alter table orders add column refusal text;
