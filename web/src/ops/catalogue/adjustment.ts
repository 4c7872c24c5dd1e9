import { StockAdjustmentReason as Reason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";

/** What is typed: units with a sign, why, and a remark. */
export interface AdjustmentDraft {
  readonly delta: string;
  readonly reason: Reason;
  readonly remark: string;
}

/** A change of stock in the form. `problem` and `done` are sentences for the operator; "" for none. */
export interface AdjustmentState {
  readonly draft: AdjustmentDraft;
  /** The same for every attempt at this draft: it counts once, however often it is sent. */
  readonly adjustmentId: string;
  readonly isSending: boolean;
  readonly problem: string;
  readonly done: string;
}

/** An adjustment that nothing is typed of yet. */
export function newAdjustment(): AdjustmentState {
  const draft = { delta: "", reason: Reason.RECEIVED, remark: "" };
  return { draft, adjustmentId: crypto.randomUUID(), isSending: false, problem: "", done: "" };
}

/** The units of a draft; 0 for what is no such number. */
export function unitsOf({ delta }: AdjustmentDraft): number {
  return /^[+-]?\d{1,7}$/.test(delta.trim()) ? Number(delta) : 0;
}
