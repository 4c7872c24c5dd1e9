import type { Invariant, InvariantScope } from "./invariant.ts";
import { isOurs, keptOf, notDeleted, paid } from "./invariant-sql.ts";

/** Invariants of payment: by the provider's ledger, an order is charged once, and money is kept for paid orders only. */
export function paymentInvariants({ of, orders, before }: InvariantScope): readonly Invariant[] {
  const kept = keptOf(orders);
  return [
    {
      name: "charged at most once",
      description: "The provider's ledger has at most one capture per order.",
      sql: `select order_id, captures from (${kept}) k where captures > 1`,
    },
    {
      name: "no payment without an order",
      description: "No money is kept for an order that is rejected, cancelled or does not exist.",
      repair: "refund",
      sql: `
        select k.order_id, o.state, k.kept_minor from (${kept}) k left join orders.orders o using (order_id)
        where k.kept_minor <> 0 and (o.order_id is null or o.state in ('REJECTED', 'CANCELLED'))
          and ${notDeleted("k.order_id")}`,
    },
    {
      name: "money is right",
      description: "For every paid order, captures minus refunds equal its total.",
      sql: `
        select o.order_id, o.state, o.total_minor, k.kept_minor
        from orders.orders o left join (${kept}) k using (order_id)
        where ${of("o.order_id")} and o.state in ${paid} and coalesce(k.kept_minor, 0) <> o.total_minor`,
    },
    {
      name: "books agree",
      description: "The status of every payment agrees with the provider's ledger.",
      sql: `
        select p.order_id, p.status, k.captures, k.kept_minor
        from payment.payment p left join (${kept}) k using (order_id)
        where ${isOurs("p.order_id")} and ${of("p.order_id")} and case p.status
          when 'CAPTURED' then coalesce(k.kept_minor, 0) <> p.amount_minor
          when 'PENDING' then p.created_at <= ${before}
          else coalesce(k.kept_minor, 0) <> 0 end`,
    },
  ];
}
