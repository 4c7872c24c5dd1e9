/** What operators do about one order, beside `cancelOrder`. */
import type { Database } from "@smartcart/store";
import type { CancelOrderDependencies } from "./cancel-order.ts";
import { orderIsFinal, orderKeepsPayment } from "./errors.ts";
import type { StoredOrder } from "./order.ts";
import type { DossierSources } from "./order-dossier.ts";
import { isFinal, isSagaPending } from "./order-state.ts";
import { orderPlaced } from "./order-view.ts";
import type { Peers } from "./saga/steps.ts";
import { releaseOrder } from "./store/search-orders.ts";

export interface OperatorActionDependencies extends CancelOrderDependencies {
  readonly database: Database;
  readonly peers: Pick<Peers, "payment"> & DossierSources;
}

/** Gives back what is held of an order that has no right to it. Idempotent. Throws ORDER_KEEPS_PAYMENT for every other order. */
export async function refundOrder(
  { orderId, state }: StoredOrder,
  { database, peers }: OperatorActionDependencies,
): Promise<void> {
  switch (state) {
    case "REJECTED":
    case "CANCELLED":
    case "REJECTED_REFUNDING":
    case "CANCELLED_REFUNDING":
      await peers.payment.refundPayment({ orderId, reason: "by an operator" });
      // The step that was refused succeeds now.
      await releaseOrder(database, orderId);
      return;
    default:
      throw orderKeepsPayment(orderId, state);
  }
}

/** Continues an order now. Idempotent. Throws ORDER_FINAL where there is nothing to continue. */
export async function resumeOrder(
  order: StoredOrder,
  { database, repository }: OperatorActionDependencies,
): Promise<void> {
  if (isFinal(order.state)) throw orderIsFinal(order.orderId, order.state);
  if (isSagaPending(order.state)) return releaseOrder(database, order.orderId);
  // It waits for its shipment. The same message, by the same id: shipping knows it where it was handled.
  await repository.announce(orderPlaced(order, ""));
}
