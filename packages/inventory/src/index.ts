export { formatAmount, isCurrency, parseAmount } from "./catalogue/amount.ts";
export type { InventoryConfig } from "./config.ts";
export { inventoryConfig } from "./config.ts";
export type { GoodsFormat, GoodsLine } from "./import/goods-file.ts";
export { GoodsFileError, goodsColumns, goodsFormatOf, readGoods } from "./import/goods-file.ts";
export type { ImportProblem } from "./import/import-row.ts";
export type { InventoryOptions } from "./service.ts";
export { startInventory } from "./service.ts";
