import type { OrderSelection } from "./order-selection.ts";

/** The repair of a violation that needs no information beyond its row. */
export type RepairName = "refund" | "release";

/** The query returns the rows that contradict it: none at rest. A column `order_id` names the order that a row is about. */
export interface Invariant {
  readonly name: string;
  /** The invariant as a sentence. */
  readonly description: string;
  readonly sql: string;
  /** Unset where an operator has to decide. */
  readonly repair?: RepairName;
  /** It adds up all reservations: a selection of orders does not make it cheaper. */
  readonly readsAll?: boolean;
}

export interface InvariantOptions {
  /**
   * How long an order or an event may be in progress before it counts as stuck, in milliseconds. 0: nothing may be in progress.
   */
  readonly settleMs: number;
  /** The orders to check. Default: all stored ones. */
  readonly orders?: OrderSelection;
  /** The products whose stock and ledger are checked. Default: all. */
  readonly products?: OrderSelection;
}

/** What the invariants of one check have in common. */
export interface InvariantScope extends InvariantOptions {
  /** SQL for the time before which an order or an event that is still in progress counts as stuck. */
  readonly before: string;
  /** SQL condition that holds for the selected orders, on a column with their ids. */
  readonly of: (column: string) => string;
  /** The same for products. */
  readonly ofProduct: (column: string) => string;
}
