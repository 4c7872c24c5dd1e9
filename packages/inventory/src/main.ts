/** The inventory service as a process of its own. */
import { runService } from "@smartcart/service";
import { inventoryConfig } from "./config.ts";
import { startInventory } from "./service.ts";

await runService({ name: "inventory", config: inventoryConfig, start: startInventory });
