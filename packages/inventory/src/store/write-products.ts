/** Statements that add and edit products. */
import type { Queryable } from "@smartcart/store";
import type { CatalogueProduct, ProductEdit, ProductFields } from "../catalogue/catalogue.ts";
import type { ProductRow } from "./product-row.ts";
import { productColumns, toProduct } from "./product-row.ts";

/** Adds a product with its first stock, in one statement. Answers undefined, and adds nothing, where the id exists. */
export async function insertProduct(
  db: Queryable,
  productId: string,
  fields: ProductFields,
  initialStock: number,
): Promise<CatalogueProduct | undefined> {
  const { rows } = await db.query<ProductRow>({
    name: "inventory.insert_product",
    text: `with p as (
        insert into product (product_id, name, description, category, emoji, picture_url, currency_code, price_minor, archived_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9::boolean then now() end)
        on conflict (product_id) do nothing returning *
      ), s as (
        insert into stock (product_id, initial, available) select product_id, $10, $10 from p returning *
      )
      select ${productColumns} from p join s using (product_id)`,
    values: [...valuesOf(productId, fields), initialStock],
  });
  return rows.map(toProduct)[0];
}

/**
 * Edits a product that is at that revision, and raises it by one. Answers undefined, and changes nothing, where the product does not exist
 * or is at another revision.
 */
export async function editProduct(
  db: Queryable,
  productId: string,
  revision: bigint,
  edit: ProductEdit,
): Promise<CatalogueProduct | undefined> {
  const { rows } = await db.query<ProductRow>({
    name: "inventory.edit_product",
    text: `with p as (
        update product set
          name = coalesce($2, name), description = coalesce($3, description), category = coalesce($4, category),
          emoji = coalesce($5, emoji), picture_url = coalesce($6, picture_url),
          currency_code = coalesce($7, currency_code), price_minor = coalesce($8, price_minor),
          archived_at = case when $9::boolean is null then archived_at when $9 then coalesce(archived_at, now()) end,
          revision = revision + 1, updated_at = now()
        where product_id = $1 and revision = $10 returning *
      )
      select ${productColumns} from p join stock s using (product_id)`,
    values: [...valuesOf(productId, edit), revision],
  });
  return rows.map(toProduct)[0];
}

function valuesOf(productId: string, edit: ProductEdit): unknown[] {
  const { name, description, category, emoji, pictureUrl } = edit;
  const { currencyCode, priceMinor, archived } = edit;
  const fields = [name, description, category, emoji, pictureUrl, currencyCode, priceMinor];
  return [productId, ...fields, archived].map((value) => value ?? null);
}
