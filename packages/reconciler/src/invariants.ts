/**
 * The invariants of SmartCart, each as a query for the rows that violate it. The queries do not rely on the constraints of the services:
 * they sum stock from the reservations and money from the provider's ledger. They read the schemas of all services, which no service may.
 *
 * The column `order_id` (or `product_id`, `message_id`) identifies the subject of a row. Milestones are numbers of order_milestone.proto.
 */

import type { Invariant, InvariantOptions, InvariantScope } from "./invariant.ts";
import { orderInvariants } from "./order-invariants.ts";
import { selects } from "./order-selection.ts";
import { paymentInvariants } from "./payment-invariants.ts";
import { shipmentInvariants } from "./shipment-invariants.ts";
import { stockInvariants } from "./stock-invariants.ts";

/** The invariants that can be checked in the database alone. */
export function createInvariants(o: InvariantOptions): readonly Invariant[] {
  const scope: InvariantScope = {
    ...o,
    before: `now() - interval '${o.settleMs} milliseconds'`,
    of: (column) => selects(column, o.orders),
    ofProduct: (column) => selects(column, o.products),
  };
  return [stockInvariants, paymentInvariants, shipmentInvariants, orderInvariants].flatMap(
    (invariantsOf) => invariantsOf(scope),
  );
}
