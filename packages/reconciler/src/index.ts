export type { CheckOptions, Violation } from "./check.ts";
export { check, checkUntilSettled, subjectOf } from "./check.ts";
export { createIncrementalCheck, type IncrementalCheck, idAt } from "./incremental-check.ts";
export type { Invariant, InvariantOptions, RepairName } from "./invariant.ts";
export { createInvariants } from "./invariants.ts";
export type { Finding, Reconciler, ReconcilerPeers, RepairOutcome } from "./reconciler.ts";
export { createReconciler, repairAll } from "./reconciler.ts";
