/** Adjusts stock by hand: the ledger and the stock change together, once for each id. */
import { ValidationError } from "@smartcart/mesh";
import type { Database, Queryable } from "@smartcart/store";
import { isUniqueViolation, withTransaction } from "@smartcart/store";
import { maxStock } from "../catalogue/catalogue.ts";
import { adjustmentExists, stockTooHigh, stockTooLow } from "../catalogue/catalogue-errors.ts";
import { productNotFound } from "../errors.ts";
import { findAdjustment, insertAdjustment, lockAvailable } from "../store/stock-adjustments.ts";
import type { NewAdjustment, StockAdjustment } from "./stock-adjustment.ts";
import { isSameAdjustment, signViolations } from "./stock-adjustment.ts";

/** Adjusts the stock; returns the first entry where the id is known. @throws what `AdjustStock` documents. */
export async function adjustStock(
  database: Database,
  adjustment: NewAdjustment,
): Promise<StockAdjustment> {
  const violations = signViolations(adjustment);
  if (violations.length > 0) throw new ValidationError(violations);
  try {
    return await withTransaction(database, "inventory.adjust", (tx) => adjust(tx, adjustment));
  } catch (error) {
    // A call with the same id for another product, at the same time: the stock's lock did not order the two.
    if (!isUniqueViolation(error)) throw error;
    throw adjustmentExists(adjustment.adjustmentId);
  }
}

async function adjust(tx: Queryable, adjustment: NewAdjustment): Promise<StockAdjustment> {
  const { adjustmentId, productId, delta } = adjustment;
  const available = await lockAvailable(tx, productId);
  // Read after the lock: a concurrent call with the same id has then either finished or not begun.
  const known = await findAdjustment(tx, adjustmentId);
  if (known && !isSameAdjustment(known, adjustment)) throw adjustmentExists(adjustmentId);
  if (known) return known;
  if (available === undefined) throw productNotFound(productId);
  if (available + delta < 0) throw stockTooLow(productId, available);
  if (available + delta > maxStock) throw stockTooHigh(productId, available);
  return insertAdjustment(tx, adjustment);
}
