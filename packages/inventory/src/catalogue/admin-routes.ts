import type { ServiceImpl } from "@connectrpc/connect";
import type {
  CatalogueAdminService,
  ListCatalogueProductsRequest,
  UpdateProductRequest,
} from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import {
  ArchiveFilter,
  CatalogueOrder,
} from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { Money } from "@smartcart/gen/type/v1/money_pb";
import { operatorOf, ValidationError } from "@smartcart/mesh";
import type { Queryable } from "@smartcart/store";
import { forCall } from "@smartcart/store";
import { invalidPageToken } from "../errors.ts";
import type { AdminDependencies } from "../import/import-routes.ts";
import { createImportRoutes } from "../import/import-routes.ts";
import { toAdjustmentMessage, toAdjustmentReason, toCatalogueProductMessage } from "../messages.ts";
import { createPictureMethods, requirePicture } from "../pictures/picture-routes.ts";
import { positionOf } from "../routes.ts";
import { adjustStock } from "../stock/stock-adjuster.ts";
import { listLowStock, listProducts } from "../store/read-products.ts";
import { listAdjustments } from "../store/stock-adjustments.ts";
import type { CatalogueFilter, CatalogueProduct, ProductEdit } from "./catalogue.ts";
import {
  pageOf,
  pageSizeOf,
  parseStockPageToken,
  toPageToken,
  toStockPageToken,
} from "./catalogue.ts";
import { createProduct, readProduct, updateProduct } from "./catalogue-editor.ts";
import { editViolations } from "./product-rules.ts";

type Impl = ServiceImpl<typeof CatalogueAdminService>;
type StockMethods = Pick<Impl, "adjustStock" | "listStockAdjustments">;
type ImportMethods = ReturnType<typeof createImportRoutes>;
type PictureMethods = ReturnType<typeof createPictureMethods>;
type ProductMethods = Omit<Impl, keyof StockMethods | keyof ImportMethods | keyof PictureMethods>;

/** The RPCs of smartcart.inventory.v1.CatalogueAdminService. */
export function createAdminRoutes(dependencies: AdminDependencies): Impl {
  return {
    ...createProductMethods(dependencies),
    ...createStockMethods(dependencies),
    ...createImportRoutes(dependencies),
    ...createPictureMethods(dependencies),
  };
}

function archivedOf(filter: ArchiveFilter): CatalogueFilter["archived"] {
  if (filter === ArchiveFilter.ALL) return "all";
  return filter === ArchiveFilter.ARCHIVED ? "yes" : "no";
}

function createProductMethods({ database, onChange }: AdminDependencies): ProductMethods {
  /** Makes a change, and answers the product. */
  const change = async (work: () => Promise<CatalogueProduct>) => {
    const product = toCatalogueProductMessage(await work());
    onChange();
    return { product };
  };
  const setArchived = (archived: boolean) => (request: { productId: string; revision: bigint }) =>
    change(() =>
      updateProduct(database, request.productId, request.revision, { ...noEdit, archived }),
    );
  return {
    async listCatalogueProducts(request, context) {
      const db = forCall(database, context);
      const isByStock = request.order === CatalogueOrder.LOW_STOCK;
      const { page, nextPageToken } = await (isByStock ? lowStockPage : productPage)(db, request);
      return { products: page.map(toCatalogueProductMessage), nextPageToken };
    },

    async getCatalogueProduct({ productId }, context) {
      const product = await readProduct(forCall(database, context), productId);
      return { product: toCatalogueProductMessage(product) };
    },

    async createProduct(request) {
      const { productId, name, description, category, emoji, pictureUrl, initialStock } = request;
      const texts = { name, description, category, emoji, pictureUrl };
      const fields = { ...texts, ...priceOf(request.price as Money), archived: false };
      requireValid(fields);
      await requirePicture(database, pictureUrl);
      return change(() => createProduct(database, productId, fields, initialStock));
    },

    async updateProduct(request) {
      const edit = toEdit(request);
      requireValid(edit);
      await requirePicture(database, edit.pictureUrl);
      return change(() => updateProduct(database, request.productId, request.revision, edit));
    },

    archiveProduct: setArchived(true),
    restoreProduct: setArchived(false),
  };
}

const listMethod = "ListCatalogueProducts";

async function productPage(db: Queryable, request: ListCatalogueProductsRequest) {
  const after = positionOf(request.pageToken, listMethod);
  const size = pageSizeOf(request.pageSize);
  return pageOf(await listProducts(db, filterOf(request), after, size + 1), size, toPageToken);
}

async function lowStockPage(db: Queryable, request: ListCatalogueProductsRequest) {
  const { pageToken } = request;
  const after = pageToken === "" ? undefined : parseStockPageToken(pageToken);
  if (pageToken !== "" && !after) throw invalidPageToken(listMethod);
  const size = pageSizeOf(request.pageSize);
  const found = await listLowStock(db, filterOf(request), after, size + 1);
  return pageOf(found, size, toStockPageToken);
}

function filterOf(request: ListCatalogueProductsRequest): CatalogueFilter {
  const { query, category, archiveFilter } = request;
  return { query, category, archived: archivedOf(archiveFilter) };
}

function createStockMethods({ database, onChange }: AdminDependencies): StockMethods {
  return {
    async adjustStock({ adjustmentId, productId, delta, reason, note }, context) {
      const adjustment = await adjustStock(database, {
        ...{ adjustmentId, productId, delta, note },
        reason: toAdjustmentReason(reason),
        operator: operatorOf(context),
      });
      onChange();
      return { adjustment: toAdjustmentMessage(adjustment) };
    },

    async listStockAdjustments({ productId, pageSize, pageToken }, context) {
      const below = sequenceOf(pageToken);
      const size = pageSizeOf(pageSize);
      const found = await listAdjustments(forCall(database, context), productId, below, size + 1);
      const tokenOf = ({ sequence }: { sequence: bigint }) => String(sequence);
      const { page, nextPageToken } = pageOf(found, size, tokenOf);
      return { adjustments: page.map(toAdjustmentMessage), nextPageToken };
    },
  };
}

/** The position after which the ledger's next page begins; undefined: at the newest entry. */
function sequenceOf(pageToken: string): bigint | undefined {
  if (pageToken === "") return undefined;
  if (!/^[1-9]\d{0,17}$/.test(pageToken)) throw invalidPageToken("ListStockAdjustments");
  return BigInt(pageToken);
}

const noEdit: ProductEdit = {
  name: undefined,
  description: undefined,
  category: undefined,
  emoji: undefined,
  pictureUrl: undefined,
  currencyCode: undefined,
  priceMinor: undefined,
  archived: undefined,
};

function toEdit(request: UpdateProductRequest): ProductEdit {
  const { name, description, category, emoji, pictureUrl, price } = request;
  const texts = { name, description, category, emoji, pictureUrl };
  return { ...noEdit, ...texts, ...(price && priceOf(price)) };
}

function priceOf({ currencyCode, minorUnits }: Money) {
  return { currencyCode, priceMinor: minorUnits };
}

function requireValid(edit: ProductEdit): void {
  const violations = editViolations(edit);
  if (violations.length > 0) throw new ValidationError(violations);
}
