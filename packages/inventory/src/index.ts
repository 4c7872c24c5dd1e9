export type { InventoryConfig } from "./config.ts";
export { inventoryConfig, parseInventoryConfig } from "./config.ts";
export type { InventoryOptions, RunningInventory } from "./service.ts";
export { startInventory } from "./service.ts";
