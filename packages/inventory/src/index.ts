export type { InventoryConfig } from "./config.ts";
export { inventoryConfig } from "./config.ts";
export type { InventoryOptions } from "./service.ts";
export { startInventory } from "./service.ts";
