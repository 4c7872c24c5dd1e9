/** Parts of SQL that several invariants share. */
import type { OrderSelection } from "./order-selection.ts";
import { selects } from "./order-selection.ts";

// Equal to the predicates of the partial indexes on orders, so that ended orders are not read.
export const inSaga = `(
  'RECEIVED', 'STOCK_RESERVED', 'PAID', 'REJECTED_REFUNDING', 'REJECTED_RELEASING',
  'CANCEL_REQUESTED', 'CANCELLED_REFUNDING', 'CANCELLED_RELEASING')`;
export const ended = `('SHIPPED', 'REJECTED', 'CANCELLED')`;
export const sold = `('CONFIRMED', 'CANCEL_REQUESTED', 'SHIPPING', 'SHIPPED')`;
// States of an order that is paid and not refunded.
export const paid = `('PAID', 'CONFIRMED', 'CANCEL_REQUESTED', 'SHIPPING', 'SHIPPED')`;

/** Ids as the order service makes them. Reservations and charges of other clients of inventory and payment are not checked. */
export const isOurs = (id: string) => `${id} ~ '^ORD-[0-9A-Z]{26}'`;

/**
 * By order: how often money was taken, and what was kept of it. A charge by a longer name belongs to the order that it begins with;
 * where orders are selected by name, it is only seen within a range.
 */
export const keptOf = (orders: OrderSelection | undefined) => `
  select substring(charge_id from '^ORD-[0-9A-Z]{26}') as order_id,
    count(*) filter (where kind = 'capture') as captures,
    coalesce(sum(case kind when 'capture' then amount_minor when 'refund' then -amount_minor end), 0) as kept_minor
  from (${ledgerIndexes
    .map(
      (kinds) => `select charge_id, kind, amount_minor from payment_provider.ledger_entry
        where ${kinds} and ${isOurs("charge_id")} and ${selects("charge_id", orders)}`,
    )
    .join(" union all ")}) entry group by 1`;

/** The conditions of the ledger's indexes on charges: a query without one of them reads the whole ledger. */
const ledgerIndexes = ["kind in ('capture', 'void')", "kind = 'refund'"];

/** False for an order that was deleted after its retention: until the other services delete their rows of it, those have no order. */
export const notDeleted = (id: string) =>
  `not exists (select from orders.deleted_orders d where d.order_id = ${id})`;

/** Units by product that reservations hold or have sold. */
export const reserved = `
  select line->>'productId' as product_id, sum((line->>'quantity')::int) as units
  from inventory.reservation, jsonb_array_elements(lines) line
  where status in ('HELD', 'COMMITTED') group by 1`;
