/** Adds and edits products. Safe with several processes on one database: an edit is a compare-and-set of the revision. */
import type { Queryable } from "@smartcart/store";
import { productNotFound } from "../errors.ts";
import { findProducts } from "../store/read-products.ts";
import { editProduct, insertProduct } from "../store/write-products.ts";
import type { CatalogueProduct, ProductEdit, ProductFields } from "./catalogue.ts";
import { productChanged, productExists } from "./catalogue-errors.ts";

/** Adds a product; returns it where it exists with these values. @throws PRODUCT_EXISTS where it has others. */
export async function createProduct(
  database: Queryable,
  productId: string,
  fields: ProductFields,
  initialStock: number,
): Promise<CatalogueProduct> {
  const created = await insertProduct(database, productId, fields, initialStock);
  if (created) return created;
  const current = await readProduct(database, productId);
  if (!hasValues(current, fields)) throw productExists(productId);
  return current;
}

/**
 * Edits a product that is at that revision; returns it unchanged where it has these values at any revision.
 * @throws PRODUCT_NOT_FOUND, or PRODUCT_CHANGED where it is at another revision.
 */
export async function updateProduct(
  database: Queryable,
  productId: string,
  revision: bigint,
  edit: ProductEdit,
): Promise<CatalogueProduct> {
  const before = await readProduct(database, productId);
  if (hasValues(before, edit)) return before;
  const edited = await editProduct(database, productId, revision, edit);
  if (edited) return edited;
  const current = await readProduct(database, productId);
  if (!hasValues(current, edit)) throw productChanged(current);
  return current;
}

/** Reads a product, archived or not. @throws PRODUCT_NOT_FOUND */
export async function readProduct(
  database: Queryable,
  productId: string,
): Promise<CatalogueProduct> {
  const [product] = await findProducts(database, [productId]);
  if (!product) throw productNotFound(productId);
  return product;
}

function hasValues(product: CatalogueProduct, edit: ProductEdit): boolean {
  return (Object.keys(edit) as (keyof ProductEdit)[]).every(
    (field) => edit[field] === undefined || edit[field] === product[field],
  );
}
