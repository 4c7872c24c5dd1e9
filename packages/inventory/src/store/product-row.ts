import type { CatalogueProduct } from "../catalogue/catalogue.ts";

/** A product with its stock, as {@link selectProducts} reads it. */
export interface ProductRow {
  product_id: string;
  name: string;
  description: string;
  category: string;
  emoji: string;
  picture_url: string;
  currency_code: string;
  price_minor: string;
  archived: boolean;
  updated_at: Date;
  revision: string;
  available: number;
  reserved: number;
  version: string;
}

/** Of `product p` joined with `stock s`. `version` rises with each change of either. */
export const productColumns = `
  p.product_id, p.name, p.description, p.category, p.emoji, p.picture_url, p.currency_code, p.price_minor,
  p.archived_at is not null as archived, p.updated_at, p.revision, s.available, s.reserved,
  p.revision + s.version as version`;

export const selectProducts = `select ${productColumns} from product p join stock s using (product_id)`;

export function toProduct(row: ProductRow): CatalogueProduct {
  return {
    productId: row.product_id,
    name: row.name,
    description: row.description,
    category: row.category,
    emoji: row.emoji,
    pictureUrl: row.picture_url,
    currencyCode: row.currency_code,
    priceMinor: BigInt(row.price_minor),
    archived: row.archived,
    updatedAt: row.updated_at,
    revision: BigInt(row.revision),
    available: row.available,
    reserved: row.reserved,
    version: BigInt(row.version),
  };
}
