/** Statements that read products and their stock, without a lock. */
import type { Queryable } from "@smartcart/store";
import type { CataloguePosition, Product } from "../catalogue.ts";

interface ProductRow {
  product_id: string;
  name: string;
  description: string;
  category: string;
  emoji: string;
  currency_code: string;
  price_minor: string;
  available: number;
  version: string;
}

const selectProducts = `
  select p.product_id, p.name, p.description, p.category, p.emoji, p.currency_code, p.price_minor,
         s.available, p.revision + s.version as version
  from product p join stock s using (product_id)`;

/** Lists up to `limit` products after a position (undefined: from the start), in the order of the catalogue. */
export async function listProducts(
  db: Queryable,
  after: CataloguePosition | undefined,
  limit: number,
): Promise<Product[]> {
  const { rows } = await db.query<ProductRow>({
    name: "inventory.list_products",
    text: `${selectProducts}
      where $1::text is null or (p.category, p.name, p.product_id) > ($1, $2, $3)
      order by p.category, p.name, p.product_id limit $4`,
    values: [after?.category ?? null, after?.name ?? null, after?.productId ?? null, limit],
  });
  return rows.map(toProduct);
}

/** Reads products by id; undefined means all. Unknown ids are left out. */
export async function findProducts(db: Queryable, ids?: readonly string[]): Promise<Product[]> {
  const { rows } = await db.query<ProductRow>({
    name: "inventory.find_products",
    text: `${selectProducts} where $1::text[] is null or p.product_id = any($1)`,
    values: [ids ?? null],
  });
  return rows.map(toProduct);
}

/** Reads the units available of some products, without a lock. */
export async function readAvailable(
  db: Queryable,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ product_id: string; available: number }>({
    name: "inventory.read_available",
    text: "select product_id, available from stock where product_id = any($1::text[])",
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

function toProduct(row: ProductRow): Product {
  return {
    productId: row.product_id,
    name: row.name,
    description: row.description,
    category: row.category,
    emoji: row.emoji,
    currencyCode: row.currency_code,
    priceMinor: BigInt(row.price_minor),
    available: row.available,
    version: BigInt(row.version),
  };
}
