/** What must be true of the database once everything is at rest, whatever happened before: queries that answer no row. */

import { expect } from "vitest";
import { silentLogger } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { waitFor } from "@smartcart/testkit";

// Milestones by their numbers in order_milestone.proto: the only ways an order's history can read.
const legalHistories = `values
  ('SHIPPED',   '{1,2,3,4,5,6}'::int[]),
  ('REJECTED',  '{1,7}'),
  ('REJECTED',  '{1,2,8}'),
  ('REJECTED',  '{1,2,3,7,10}'),
  ('CANCELLED', '{1,2,3,4,9,10}')`;

const balances = `
  select charge_id, count(*) filter (where kind = 'capture') as captures,
    coalesce(sum(case kind when 'capture' then amount_minor when 'refund' then -amount_minor end), 0) as kept_minor
  from payment_provider.ledger_entry group by charge_id`;

/** By what it says: a query for the rows that contradict it. */
const invariants: Readonly<Record<string, string>> = {
  "every order has come to its end": `
    select order_id, state from orders.orders where state not in ('SHIPPED', 'REJECTED', 'CANCELLED')`,
  "an order's history is contiguous from 1 and is one of the legal ones": `
    select o.order_id, o.state, array_agg(e.milestone order by e.sequence) as milestones
    from orders.orders o left join orders.order_events e using (order_id) group by o.order_id
    having min(e.sequence) <> 1 or max(e.sequence) <> count(*) or max(e.sequence) <> o.last_sequence
      or (o.state, array_agg(e.milestone order by e.sequence)) not in (${legalHistories})`,
  "initial = available + held + committed for every product, and none is negative": `
    select * from inventory.stock
    where initial <> available + held + committed or least(available, held, committed) < 0`,
  "nothing is set aside for nobody": `select * from inventory.stock where held <> 0`,
  "what is sold is what was shipped": `
    select product_id, s.committed, sold.units
    from inventory.stock s left join (
      select item->>'productId' as product_id, sum((item->>'quantity')::int) as units
      from orders.orders, jsonb_array_elements(items) item where state = 'SHIPPED' group by 1
    ) sold using (product_id)
    where s.committed <> coalesce(sold.units, 0)`,
  "an order is charged at most once": `
    select * from (${balances}) balance where captures > 1`,
  "a shipped order has paid its total, and no other has paid anything": `
    select o.order_id, o.state, o.total_minor, balance.kept_minor
    from orders.orders o left join (${balances}) balance on charge_id = order_id
    where coalesce(balance.kept_minor, 0) <> case o.state when 'SHIPPED' then o.total_minor else 0 end`,
  "an order is shipped if and only if its parcel left": `
    select order_id, o.state, s.status
    from orders.orders o full join shipping.shipment s using (order_id)
    where (o.state is not distinct from 'SHIPPED') <> (s.status is not distinct from 'SHIPPED')`,
  "every event has been handed to the queue": `
    select message_id, type, last_error from orders.outbox
    union all select message_id, type, last_error from shipping.outbox`,
  "every key has its answer": `
    select idempotency_key, order_id from orders.idempotency_keys where answer is null`,
};

/** By what should be true: the rows that contradict it now. Empty where everything holds. */
export async function contradictions(databaseUrl: string): Promise<Record<string, unknown[]>> {
  await using database = createDatabase({ url: databaseUrl, schema: "orders", log: silentLogger });
  const found: Record<string, unknown[]> = {};
  for (const [what, text] of Object.entries(invariants)) {
    const { rows } = await database.query({ text });
    if (rows.length > 0) found[what] = rows;
  }
  return found;
}

/** Waits until every order is at rest, then expects that everything holds. */
export async function expectConsistent(databaseUrl: string): Promise<void> {
  const settled = waitFor(async () => Object.keys(await contradictions(databaseUrl)).length === 0, {
    timeoutMs: 20_000,
    intervalMs: 100,
  });
  // Not the time-out is worth showing, but what still contradicts.
  await settled.catch(() => {});
  expect(await contradictions(databaseUrl)).toEqual({});
}

/** Rows of a statement, for what only the database can tell. */
export async function rowsOf<R extends object>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  await using database = createDatabase({ url: databaseUrl, schema: "orders", log: silentLogger });
  return (await database.query<R>({ text, values })).rows;
}
