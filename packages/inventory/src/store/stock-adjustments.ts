/** Statements of the stock ledger. */
import type { Queryable } from "@smartcart/store";
import type {
  AdjustmentReason,
  NewAdjustment,
  StockAdjustment,
} from "../stock/stock-adjustment.ts";

interface AdjustmentRow {
  adjustment_id: string;
  sequence: string;
  product_id: string;
  delta: number;
  reason: AdjustmentReason;
  note: string;
  operator: string;
  available_after: number;
  adjusted_at: Date;
}

const selectAdjustments = `select adjustment_id, sequence, product_id, delta, reason, note, operator, available_after, adjusted_at
  from stock_adjustment`;

/** Locks a product's stock and reads the units available; undefined where the product does not exist. */
export async function lockAvailable(tx: Queryable, productId: string): Promise<number | undefined> {
  const { rows } = await tx.query<{ available: number }>({
    name: "inventory.lock_available",
    text: "select available from stock where product_id = $1 for update",
    values: [productId],
  });
  return rows[0]?.available;
}

/** Reads an entry by its id. */
export async function findAdjustment(
  db: Queryable,
  adjustmentId: string,
): Promise<StockAdjustment | undefined> {
  const { rows } = await db.query<AdjustmentRow>({
    name: "inventory.find_adjustment",
    text: `${selectAdjustments} where adjustment_id = $1`,
    values: [adjustmentId],
  });
  return rows.map(toAdjustment)[0];
}

/** Moves the units of locked stock and writes the entry. Rejects with a unique violation where the id exists. */
export async function insertAdjustment(tx: Queryable, a: NewAdjustment): Promise<StockAdjustment> {
  const { rows } = await tx.query<AdjustmentRow>({
    name: "inventory.insert_adjustment",
    text: `with moved as (
        update stock set available = available + $3, adjusted = adjusted + $3, version = version + 1
        where product_id = $2 returning available
      )
      insert into stock_adjustment (adjustment_id, product_id, delta, reason, note, operator, available_after)
      select $1, $2, $3, $4, $5, $6, available from moved
      returning adjustment_id, sequence, product_id, delta, reason, note, operator, available_after, adjusted_at`,
    values: [a.adjustmentId, a.productId, a.delta, a.reason, a.note, a.operator],
  });
  return toAdjustment(rows[0] as AdjustmentRow);
}

/** Lists up to `limit` entries below a sequence (undefined: from the newest), of one product or of all (empty id). */
export async function listAdjustments(
  db: Queryable,
  productId: string,
  below: bigint | undefined,
  limit: number,
): Promise<StockAdjustment[]> {
  const ofProduct = productId === "" ? "" : "and product_id = $3";
  const { rows } = await db.query<AdjustmentRow>({
    text: `${selectAdjustments} where sequence < $1 ${ofProduct} order by sequence desc limit $2`,
    values: [below ?? 2n ** 63n - 1n, limit, ...(productId === "" ? [] : [productId])],
  });
  return rows.map(toAdjustment);
}

/**
 * Deletes up to `limit` of the oldest entries that are older than so many days, and adds their units to the balance that the ledger begins
 * with, so that the stock still adds up. Answers how many it deleted.
 */
export async function pruneAdjustments(
  db: Queryable,
  olderThanDays: number,
  limit: number,
): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>({
    name: "inventory.prune_adjustments",
    // Stock is locked in the order of its ids, and before the entries are deleted, as everywhere.
    text: `with old as materialized (
        select sequence, product_id from (
          select sequence, product_id, adjusted_at from stock_adjustment order by sequence limit $2) oldest
        where adjusted_at < now() - $1 * interval '1 day'
      ), locked as materialized (
        select product_id from stock where product_id in (select product_id from old) order by product_id for update
      ), deleted as (
        delete from stock_adjustment where sequence in (select sequence from old)
          and product_id in (select product_id from locked)
        returning product_id, delta
      ), moved as (
        update stock s set initial = s.initial + gone.units, adjusted = s.adjusted - gone.units
        from (select product_id, sum(delta)::int as units from deleted group by 1) gone
        where s.product_id = gone.product_id
      )
      select count(*)::int as deleted from deleted`,
    values: [olderThanDays, limit],
  });
  return rows[0]?.deleted ?? 0;
}

function toAdjustment(row: AdjustmentRow): StockAdjustment {
  return {
    adjustmentId: row.adjustment_id,
    sequence: BigInt(row.sequence),
    productId: row.product_id,
    delta: row.delta,
    reason: row.reason,
    note: row.note,
    operator: row.operator,
    availableAfter: row.available_after,
    adjustedAt: row.adjusted_at,
  };
}
