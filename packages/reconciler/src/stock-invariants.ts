import type { Invariant, InvariantScope } from "./invariant.ts";
import { ended, isOurs, notDeleted, reserved, sold } from "./invariant-sql.ts";

/** Invariants of inventory: units add up, and are reserved and sold for orders only. */
export function stockInvariants(scope: InvariantScope): readonly Invariant[] {
  return [...productInvariants(scope), ...reservationInvariants(scope)];
}

function productInvariants({ ofProduct }: InvariantScope): readonly Invariant[] {
  return [
    {
      name: "stock adds up",
      description:
        "initial + adjusted = available + reserved for every product, and neither available nor reserved is negative.",
      sql: `
        select * from inventory.stock
        where ${ofProduct("product_id")}
          and (initial + adjusted <> available + reserved or least(available, reserved) < 0)`,
    },
    {
      name: "adjusted is what the ledger says",
      description:
        "The adjusted units of a product are the sum of its entries in the stock ledger, so no unit comes or goes without one.",
      sql: `
        select s.product_id, s.adjusted, l.units as ledger_units
        from inventory.stock s left join (
          select product_id, sum(delta) as units from inventory.stock_adjustment where ${ofProduct("product_id")} group by 1
        ) l using (product_id)
        where ${ofProduct("s.product_id")} and s.adjusted <> coalesce(l.units, 0)`,
    },
    {
      name: "stock is what is reserved",
      readsAll: true,
      description:
        "The reserved units of a product are the sum of its held and committed reservations, so no unit is sold twice.",
      sql: `
        select s.product_id, s.initial, s.adjusted, s.reserved, r.units as reserved_units
        from inventory.stock s left join (${reserved}) r using (product_id)
        where s.reserved <> coalesce(r.units, 0) or coalesce(r.units, 0) > s.initial + s.adjusted`,
    },
  ];
}

function reservationInvariants({ of }: InvariantScope): readonly Invariant[] {
  return [
    {
      name: "no orphan hold",
      description: "No units are held for an order that is final or does not exist.",
      repair: "release",
      sql: `
        select r.reservation_id as order_id, r.status, o.state
        from inventory.reservation r left join orders.orders o on o.order_id = r.reservation_id
        where r.status = 'HELD' and ${of("r.reservation_id")} and (o.order_id is null or o.state in ${ended}) and ${isOurs("r.reservation_id")}`,
    },
    {
      name: "sold units belong to paid orders",
      description: "Every committed reservation belongs to a paid order.",
      repair: "release",
      sql: `
        select r.reservation_id as order_id, o.state, r.status
        from inventory.reservation r left join orders.orders o on o.order_id = r.reservation_id
        where r.status = 'COMMITTED' and ${of("r.reservation_id")} and (o.order_id is null or o.state in ('REJECTED', 'CANCELLED'))
          and ${isOurs("r.reservation_id")} and ${notDeleted("r.reservation_id")}`,
    },
    {
      name: "sold is what is confirmed",
      description: "Every confirmed order has a committed reservation.",
      sql: `
        select o.order_id, o.state, r.status
        from orders.orders o left join inventory.reservation r on r.reservation_id = o.order_id
        where ${of("o.order_id")} and o.state in ${sold} and r.status is distinct from 'COMMITTED'`,
    },
  ];
}
