import type { Invariant, InvariantScope } from "./invariant.ts";
import { isOurs, keptOf, notDeleted, sold } from "./invariant-sql.ts";

/** Invariants of shipping: only paid orders are shipped. */
export function shipmentInvariants({ of, orders }: InvariantScope): readonly Invariant[] {
  const kept = keptOf(orders);
  return [
    {
      name: "shipped once and only if paid",
      description:
        "An order is SHIPPED only if its shipment is, and a shipment is SHIPPED only if its order is paid.",
      sql: `
        select coalesce(o.order_id, s.order_id) as order_id, o.state, s.status, k.kept_minor
        from (select * from orders.orders where ${of("order_id")}) o
        full join (select * from shipping.shipment where ${isOurs("order_id")} and ${of("order_id")}) s
          using (order_id)
        left join (${kept}) k on k.order_id = coalesce(o.order_id, s.order_id)
        where (o.state = 'SHIPPED' and s.status is distinct from 'SHIPPED')
          or (s.status = 'SHIPPED' and (o.order_id is null or coalesce(k.kept_minor, 0) <> o.total_minor)
            and ${notDeleted("s.order_id")})`,
    },
    {
      name: "no shipment for a closed order",
      description: "No shipment was started for a cancelled, rejected or unknown order.",
      sql: `
        select s.order_id, s.status, o.state
        from shipping.shipment s left join orders.orders o using (order_id)
        where s.status in ('STARTED', 'SHIPPED') and coalesce(o.state, '') not in ${sold}
          and ${isOurs("s.order_id")} and ${of("s.order_id")} and ${notDeleted("s.order_id")}`,
    },
  ];
}
