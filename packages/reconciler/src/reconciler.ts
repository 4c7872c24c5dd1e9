/**
 * Compares the data of all services about the same orders, and repairs violations that need no decision: it releases units and refunds
 * money that no order needs. It calls the services to do so and writes nothing itself.
 */
import type { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { ServiceClient } from "@smartcart/mesh";
import type { Logger } from "@smartcart/runtime";
import type { Database } from "@smartcart/store";
import type { CheckOptions, Violation } from "./check.ts";
import { checkUntilSettled } from "./check.ts";
import type { Invariant, RepairName } from "./invariant.ts";

/** The services whose calls repair violations. */
export interface ReconcilerPeers {
  readonly inventory: Pick<ServiceClient<typeof InventoryService>, "releaseReservation">;
  readonly payment: Pick<ServiceClient<typeof PaymentService>, "refundPayment">;
}

/** A violation with the attempted repairs. */
export interface Finding extends Violation {
  /** Attempted repairs, one per row; empty if none was attempted. */
  readonly repairs: readonly RepairOutcome[];
}

/** Result of one repair. */
export interface RepairOutcome {
  readonly repair: RepairName;
  readonly orderId: string;
  /** Reason of a failure; unset if it succeeded. */
  readonly problem?: string;
}

/** Checks the invariants and repairs violations. */
export interface Reconciler {
  /** Checks without changing anything. */
  report(): Promise<readonly Finding[]>;
  /** Checks, then repairs. Idempotent: each repair is an idempotent call. */
  reconcile(): Promise<readonly Finding[]>;
}

interface ReconcilerOptions {
  /** Must be able to read the schemas of all services. */
  readonly database: Database;
  readonly invariants: readonly Invariant[];
  readonly peers: ReconcilerPeers;
  readonly check: CheckOptions;
  readonly log: Logger;
}

/** Makes no call and no query until it is used. */
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

/** Repairs every row of a violation sequentially; returns nothing if an operator has to decide. Idempotent. */
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
