/** Statements that read the stock of products, without a lock. */
import type { Queryable } from "@smartcart/store";

/** Reads the units that can be ordered of some products: 0 where a product is archived. Unknown ids are left out. */
export async function readAvailable(
  db: Queryable,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ product_id: string; available: number }>({
    name: "inventory.read_available",
    text: `select product_id, case when p.archived_at is null then s.available else 0 end as available
      from stock s join product p using (product_id) where product_id = any($1::text[])`,
    values: [productIds],
  });
  return toAvailable(rows);
}

/** The units available by product. */
export function toAvailable(
  rows: readonly { product_id: string; available: number }[],
): Map<string, number> {
  return new Map(rows.map((row) => [row.product_id, row.available]));
}
