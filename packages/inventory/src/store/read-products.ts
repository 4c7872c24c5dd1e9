/** Statements that read products with their stock, without a lock. */
import type { Queryable } from "@smartcart/store";
import type {
  CatalogueFilter,
  CataloguePosition,
  CatalogueProduct,
  StockPosition,
} from "../catalogue/catalogue.ts";
import type { ProductRow } from "./product-row.ts";
import { selectProducts, toProduct } from "./product-row.ts";

const archivedConditions = {
  no: "p.archived_at is null",
  yes: "p.archived_at is not null",
  all: "true",
} as const;

/**
 * Lists up to `limit` products after a position (undefined: from the start), in the order of the catalogue. Not a prepared statement: only
 * with the values at hand does the planner know whether the words are rare enough for their index, or it is better to follow the order.
 */
export async function listProducts(
  db: Queryable,
  filter: CatalogueFilter,
  after: CataloguePosition | undefined,
  limit: number,
): Promise<CatalogueProduct[]> {
  const place = after && [after.category, after.name, after.productId];
  return listOrdered(db, filter, ["p.category", "p.name", "p.product_id"], place, limit);
}

/**
 * Lists products as {@link listProducts}, those of which the fewest units are available first. It reads the stock of all products that
 * match: an index on `available` would be written with every order.
 */
export async function listLowStock(
  db: Queryable,
  filter: CatalogueFilter,
  after: StockPosition | undefined,
  limit: number,
): Promise<CatalogueProduct[]> {
  const place = after && [after.available, after.productId];
  return listOrdered(db, filter, ["s.available", "s.product_id"], place, limit);
}

async function listOrdered(
  db: Queryable,
  { query, category, archived }: CatalogueFilter,
  order: readonly string[],
  after: readonly unknown[] | undefined,
  limit: number,
): Promise<CatalogueProduct[]> {
  const values: unknown[] = [limit];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const conditions: string[] = [archivedConditions[archived]];
  if (query !== "") conditions.push(`p.search @@ search_query(${bind(query)}::text)`);
  if (category !== "") conditions.push(`p.category = ${bind(category)}`);
  if (after) conditions.push(`(${order.join(", ")}) > (${after.map(bind).join(", ")})`);
  const { rows } = await db.query<ProductRow>({
    text: `${selectProducts} where ${conditions.join(" and ")} order by ${order.join(", ")} limit $1`,
    values,
  });
  return rows.map(toProduct);
}

/** Reads products by id, archived ones too. Unknown ids are left out. */
export async function findProducts(
  db: Queryable,
  ids: readonly string[],
): Promise<CatalogueProduct[]> {
  const { rows } = await db.query<ProductRow>({
    name: "inventory.find_products",
    text: `${selectProducts} where p.product_id = any($1::text[])`,
    values: [ids],
  });
  return rows.map(toProduct);
}

/** Reads up to `limit` products in the order of their ids. */
export async function firstProducts(db: Queryable, limit: number): Promise<CatalogueProduct[]> {
  const { rows } = await db.query<ProductRow>({
    name: "inventory.first_products",
    text: `${selectProducts} order by p.product_id limit $1`,
    values: [limit],
  });
  return rows.map(toProduct);
}

/** Lists up to `limit` categories of products that are not archived. */
export async function listCategories(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ category: string }>({
    name: "inventory.list_categories",
    // From each category to the next by the index: the cost is that of the categories, not of the products.
    text: `with recursive listed as (
        (select category, 1 as place from product where archived_at is null order by category limit 1)
        union all
        select following.category, place + 1 from listed, lateral (
          select category from product where archived_at is null and category > listed.category
          order by category limit 1) following
        where place < $1
      ) select category from listed order by category`,
    values: [limit],
  });
  return rows.map((row) => row.category);
}
