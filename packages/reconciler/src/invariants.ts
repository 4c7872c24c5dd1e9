/**
 * What SmartCart promises, each as a query for the rows that contradict it. The queries do not trust the services' own constraints: stock
 * is added up from the reservations, money from the provider's ledger. They compare the schemas of all services, which no service may.
 *
 * A column `order_id` (or else `product_id`, `message_id`) says what a row is about. Milestones are numbers of order_milestone.proto.
 */

import type { Invariant, InvariantOptions, InvariantScope } from "./invariant.ts";
import { orderInvariants } from "./order-invariants.ts";
import { selects } from "./order-selection.ts";
import { paymentInvariants } from "./payment-invariants.ts";
import { shipmentInvariants } from "./shipment-invariants.ts";
import { stockInvariants } from "./stock-invariants.ts";

/** The promises that the database alone can tell about. */
export function createInvariants(o: InvariantOptions): readonly Invariant[] {
  const scope: InvariantScope = {
    ...o,
    before: `now() - interval '${o.settleMs} milliseconds'`,
    of: (column) => selects(column, o.orders),
  };
  return [stockInvariants, paymentInvariants, shipmentInvariants, orderInvariants].flatMap(
    (invariantsOf) => invariantsOf(scope),
  );
}
