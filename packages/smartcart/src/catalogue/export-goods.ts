/** `smartcart catalogue export` and `list`: read the catalogue page by page. */
import { stringify } from "csv-stringify/sync";
import { ArchiveFilter } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import type { GoodsFormat } from "@smartcart/inventory";
import { formatAmount, goodsColumns } from "@smartcart/inventory";
import type { Catalogue } from "./client.ts";

/** Which products, and how many. */
export interface ListOptions {
  readonly query: string;
  readonly category: string;
  readonly archived: "no" | "yes" | "all";
  /** At most so many; undefined: all. */
  readonly limit: number | undefined;
}

const filters = {
  no: ArchiveFilter.UNSPECIFIED,
  yes: ArchiveFilter.ARCHIVED,
  all: ArchiveFilter.ALL,
} as const;

/** Products per call. */
const pageSize = 1_000;

/** Reads the products, page by page, in the order of the catalogue. */
export async function* readPages(
  { client, options }: Catalogue,
  { query, category, archived, limit = Number.POSITIVE_INFINITY }: ListOptions,
): AsyncIterable<readonly CatalogueProduct[]> {
  let pageToken = "";
  let left = limit;
  do {
    const request = { query, category, archiveFilter: filters[archived], pageToken };
    const size = Math.min(pageSize, left);
    const page = await client.listCatalogueProducts({ ...request, pageSize: size }, options);
    yield page.products;
    left -= page.products.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && left > 0);
}

/** The header of a file, if its format has one. */
export function goodsHeader(format: GoodsFormat): string {
  return format === "csv" ? stringify([[...goodsColumns]]) : "";
}

/** Products as lines of a file that `import` reads. */
export function goodsLines(products: readonly CatalogueProduct[], format: GoodsFormat): string {
  const rows = products.map(toGoods);
  if (format === "csv") return stringify(rows, { columns: [...goodsColumns] });
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** A product by the columns of a file of goods. */
export function toGoods({ product }: CatalogueProduct): Record<string, string> {
  const currency = product?.price?.currencyCode ?? "";
  return {
    product_id: product?.productId ?? "",
    name: product?.name ?? "",
    description: product?.description ?? "",
    category: product?.category ?? "",
    emoji: product?.emoji ?? "",
    picture_url: product?.pictureUrl ?? "",
    price: formatAmount(product?.price?.minorUnits ?? 0n, currency),
    currency,
    stock: String(product?.available ?? 0),
    archived: String(product?.archived ?? false),
  };
}
