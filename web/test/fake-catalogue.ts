/** A catalogue of a few hundred products and its ledger, as the fake services tell it. Nothing in it changes. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import type { CatalogueProductSchema } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { StockAdjustmentReason } from "@smartcart/gen/inventory/v1/stock_adjustment_pb";

const products = 240;
const pageSize = 50;
const categories = ["Coffee", "Kitchen", "Things with a long name that does not end soon"];

function productAt(index: number): MessageInitShape<typeof CatalogueProductSchema> {
  return {
    product: {
      productId: `fake-${index}`,
      name: `Hand-beaten Copper Moka Pot, Edition ${index}`,
      description: "Made a few at a time. Serves three.",
      category: categories[index % categories.length] ?? "",
      price: { currencyCode: "USD", minorUnits: BigInt(900 + 137 * index) },
      available: (index * 37) % 500,
      archived: index % 9 === 8,
    },
    revision: 3n,
    reserved: index % 5,
    updatedAt: timestampFromMs(Date.now() - 60_000),
  };
}

const ledger = [
  [12, StockAdjustmentReason.RECEIVED, "delivery 4711", "olga"],
  [
    -2,
    StockAdjustmentReason.WRITTEN_OFF,
    "two were dropped on the way from the shelf to the counter",
    "",
  ],
] as const;

/** @param check Throws where the caller is no operator. */
export function addFakeCatalogue(
  router: ConnectRouter,
  check: (context: HandlerContext) => void,
): void {
  router.service(InventoryService, { listCategories: () => ({ categories }) });
  router.service(CatalogueAdminService, {
    listCatalogueProducts({ pageToken }, context) {
      check(context);
      const first = Number(pageToken);
      const next = first + pageSize;
      return {
        products: Array.from({ length: pageSize }, (_, at) => productAt(first + at)),
        nextPageToken: next < products ? String(next) : "",
      };
    },
    listStockAdjustments: ({ productId }) => ({
      adjustments: ledger.map(([delta, reason, note, operator], at) => ({
        ...{ adjustmentId: `adjustment-${at}`, productId, delta, reason, note, operator },
        ...{
          availableAfter: 20 + delta,
          adjustedAt: timestampFromMs(Date.now() - at * 86_400_000),
        },
      })),
    }),
    stageImport: () => ({
      problems: [
        {
          line: 4,
          field: "price",
          message: '"cheap" is not an amount such as 14.50: digits, a point, digits',
        },
      ],
    }),
    commitImport: () => ({ summary: { created: 1, updated: 1, unchanged: 240, rejected: 1 } }),
    listImportChanges: () => ({
      changes: [
        {
          ...{ line: 2, productId: "fake-1", isNew: false },
          cells: [{ field: "price", before: "10.37", after: "12.50" }],
        },
        {
          ...{ line: 3, productId: "brand-new", isNew: true },
          cells: [{ field: "name", before: "", after: "Brand new" }],
        },
      ],
    }),
  });
}
