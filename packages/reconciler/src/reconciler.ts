/**
 * Compares what the services know of the same orders, and puts right what a row says all about: units that are set aside for nobody go
 * back, money that was kept for nothing is given back. It asks the services to do it; it writes nothing itself.
 */
import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { CheckOptions, Violation } from "./check.ts";
import { checkUntilSettled } from "./check.ts";
import type { Invariant, RepairName } from "./invariants.ts";

export interface ReconcilerPeers {
  readonly inventory: Pick<ServiceClient<typeof InventoryService>, "releaseReservation">;
  readonly payment: Pick<ServiceClient<typeof PaymentService>, "refundPayment">;
}

/** A violation, and what can be or was done about it. */
export interface Finding extends Violation {
  /** What was tried, by row; empty where nothing was, or nothing can be. */
  readonly repairs: readonly RepairOutcome[];
}

export interface RepairOutcome {
  readonly repair: RepairName;
  readonly orderId: string;
  /** Why it did not work; unset where it did. */
  readonly problem?: string;
}

export interface Reconciler {
  /** What contradicts the promises. Changes nothing. */
  report(): Promise<readonly Finding[]>;
  /** The same, then repairs. Idempotent: each repair is a call that may be repeated. */
  reconcile(): Promise<readonly Finding[]>;
}

export interface ReconcilerOptions {
  /** Must be able to read the schemas of all services. */
  readonly database: Database;
  readonly invariants: readonly Invariant[];
  readonly peers: ReconcilerPeers;
  readonly check: CheckOptions;
  readonly log: Logger;
}

export function createReconciler(o: ReconcilerOptions): Reconciler {
  const find = () => checkUntilSettled(o.database, o.invariants, o.check);
  return {
    async report() {
      return (await find()).map((violation) => ({ ...violation, repairs: [] }));
    },
    async reconcile() {
      const findings: Finding[] = [];
      // One after the other: a refund and a release of one order are two findings.
      for (const violation of await find()) {
        findings.push({ ...violation, repairs: await repairAll(violation, o) });
      }
      return findings;
    },
  };
}

/** Repairs every row of a violation, one after the other; answers nothing where a person has to decide. Idempotent. */
export async function repairAll(
  { invariant, rows }: Violation,
  { peers, log }: Pick<ReconcilerOptions, "peers" | "log">,
): Promise<RepairOutcome[]> {
  const { repair } = invariant;
  if (repair === undefined) return [];
  const outcomes: RepairOutcome[] = [];
  for (const row of rows) {
    const orderId = String(row.order_id);
    try {
      await repairs[repair](orderId, peers);
      log.warn("reconciler.repaired", { orderId, repair, invariant: invariant.name });
      outcomes.push({ repair, orderId });
    } catch (error) {
      log.error("reconciler.repair_failed", { orderId, repair, error });
      outcomes.push({ repair, orderId, problem: (error as Error).message });
    }
  }
  return outcomes;
}

const repairs: Readonly<
  Record<RepairName, (orderId: string, peers: ReconcilerPeers) => Promise<unknown>>
> = {
  release: (reservationId, { inventory }) => inventory.releaseReservation({ reservationId }),
  refund: (orderId, { payment }) => payment.refundPayment({ orderId, reason: "reconciled" }),
};
