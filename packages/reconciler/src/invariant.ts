import type { OrderSelection } from "./order-selection.ts";

/** How a contradiction can be put right without knowing more than the row says. */
export type RepairName = "refund" | "release";

export interface Invariant {
  readonly name: string;
  /** What is promised, in a sentence. */
  readonly description: string;
  readonly sql: string;
  /** Unset where a person has to decide. */
  readonly repair?: RepairName;
  /** It adds up what was ever reserved: no selection of orders makes it cheaper. */
  readonly readsAll?: boolean;
}

export interface InvariantOptions {
  /**
   * How long an order or an event may be on its way before it counts as stuck, in milliseconds. 0: everything is to be at rest now.
   */
  readonly settleMs: number;
  /** The orders that are looked at. Default: all that were ever stored. */
  readonly orders?: OrderSelection;
  /** The products whose own stock and ledger are looked at. Default: all. */
  readonly products?: OrderSelection;
}

/** What the invariants of one check have in common. */
export interface InvariantScope extends InvariantOptions {
  /** SQL for the time before which an order or an event that is still on its way counts as stuck. */
  readonly before: string;
  /** SQL condition that holds for the selected orders, on a column with their ids. */
  readonly of: (column: string) => string;
  /** The same for products. */
  readonly ofProduct: (column: string) => string;
}
