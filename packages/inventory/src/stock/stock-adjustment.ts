import type { FieldViolation } from "@smartcart/contract";

/** Why units came or went other than by an order. */
export type AdjustmentReason = "RECEIVED" | "RETURNED" | "WRITTEN_OFF" | "CORRECTED";

/** An entry of the ledger that is to be written. */
export interface NewAdjustment {
  readonly adjustmentId: string;
  readonly productId: string;
  /** Units that come, or go if negative; not 0. */
  readonly delta: number;
  readonly reason: AdjustmentReason;
  readonly note: string;
  readonly operator: string;
}

/** An entry of the ledger. */
export interface StockAdjustment extends NewAdjustment {
  /** Orders the ledger. */
  readonly sequence: bigint;
  readonly availableAfter: number;
  readonly adjustedAt: Date;
}

/** The sign that `delta` must have by its reason; a reason that is not here takes either. */
const signs: Readonly<Partial<Record<AdjustmentReason, 1 | -1>>> = {
  RECEIVED: 1,
  RETURNED: 1,
  WRITTEN_OFF: -1,
};

/** What is wrong with the sign of an adjustment. */
export function signViolations({ delta, reason }: NewAdjustment): FieldViolation[] {
  const sign = signs[reason];
  if (sign === undefined || Math.sign(delta) === sign) return [];
  const expected = sign > 0 ? "above 0" : "below 0";
  return [{ field: "delta", message: `must be ${expected} for the reason ${reason}` }];
}

/** Whether two adjustments are equal, apart from the operator who made them. */
export function isSameAdjustment(a: NewAdjustment, b: NewAdjustment): boolean {
  return (
    a.productId === b.productId && a.delta === b.delta && a.reason === b.reason && a.note === b.note
  );
}
