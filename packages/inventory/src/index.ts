export { formatAmount, isCurrency, parseAmount } from "./amount.ts";
export type { InventoryConfig } from "./config.ts";
export { inventoryConfig } from "./config.ts";
export type { GoodsFormat, GoodsLine } from "./goods-file.ts";
export { GoodsFileError, goodsColumns, goodsFormatOf, readGoods } from "./goods-file.ts";
export type { ImportProblem } from "./import-row.ts";
export type { InventoryOptions } from "./service.ts";
export { startInventory } from "./service.ts";
