/**
 * Deletes orders some days after they were placed, where they have come to their end, with all that the other services have of them.
 * Their rows go first here, which leaves a note (`deleted_orders`); then the others are asked to delete theirs, as often as it takes.
 * A process that dies in between leaves the note.
 */
import type { Logger } from "@smartcart/runtime";
import { StartError, startTimer } from "@smartcart/runtime";
import type { Queryable } from "@smartcart/store";
import { lowestOrderId } from "./order-id.ts";
import { deleteEndedOrders, findDeletedOrders, forgetDeletedOrders } from "./retention-store.ts";
import type { Peers } from "./saga/steps.ts";

interface RetentionOptions {
  readonly database: Queryable;
  readonly peers: RetentionPeers;
  readonly log: Logger;
  /** Age of an order from which it is deleted, in days. 0: never. */
  readonly days: number;
  readonly now: () => Date;
  /** Pause between two rounds, in milliseconds. Default 60,000. */
  readonly intervalMs?: number;
  /** Most orders in one statement and one call, up to 500. Default 500. */
  readonly batchSize?: number;
}

/** Those of the other services' calls that delete. */
export interface RetentionPeers {
  readonly shipping: Pick<Peers["shipping"], "batchDeleteShipments">;
  readonly payment: Pick<Peers["payment"], "batchDeletePayments">;
  readonly inventory: Pick<Peers["inventory"], "batchDeleteReservations">;
}

const dayMs = 24 * 60 * 60 * 1_000;

/** Deletes at once and then on a timer, in each round until nothing is left that is old enough. Several processes may run one. */
export function startRetention(options: RetentionOptions): AsyncDisposable {
  const { database, log, days, now, intervalMs = 60_000, batchSize = 500 } = options;
  const timer = startTimer({
    name: "order.retention",
    intervalMs,
    log,
    async run(signal) {
      let total = 0;
      for (let deleted = batchSize; deleted === batchSize && !signal.aborted; total += deleted) {
        deleted = 0;
        if (days > 0) {
          const before = lowestOrderId(new Date(now().getTime() - days * dayMs));
          deleted = await deleteEndedOrders(database, before, batchSize);
        }
        await deleteElsewhere(options, batchSize, signal);
      }
      if (total > 0) log.info("order.deleted", { orders: total });
    },
  });
  timer.poke();
  return timer;
}

/** Also without a retention: what was begun under an earlier setting is finished. */
async function deleteElsewhere(
  { database, peers }: RetentionOptions,
  batchSize: number,
  signal: AbortSignal,
): Promise<void> {
  for (let count = batchSize; count === batchSize && !signal.aborted; ) {
    const orderIds = await findDeletedOrders(database, batchSize);
    count = orderIds.length;
    if (count === 0) return;
    await peers.shipping.batchDeleteShipments({ orderIds }, { signal });
    await peers.payment.batchDeletePayments({ orderIds }, { signal });
    await peers.inventory.batchDeleteReservations({ reservationIds: orderIds }, { signal });
    await forgetDeletedOrders(database, orderIds);
  }
}

/** @throws StartError where an order would be deleted while its idempotency key still has to be answered. */
export function requireRetention(days: number, keyTtlMs: number): void {
  const variable = "ORDER_RETENTION_DAYS";
  if (days === 0 || (days > 0 && days <= 36_500 && days * dayMs >= keyTtlMs)) return;
  throw new StartError(
    `${variable}: ${days} is out of range; set it to 0 (for ever), or to IDEMPOTENCY_KEY_TTL_MS (${keyTtlMs / dayMs} days) at least`,
    { variable },
  );
}
