import { afterAll, beforeAll } from "vitest";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { describeForeignClients } from "@smartcart/testkit/suites";
import type { TestInventory } from "./support.ts";
import { startTestInventory } from "./support.ts";

let inventory: TestInventory;
beforeAll(async () => {
  inventory = await startTestInventory();
});
afterAll(() => inventory[Symbol.asyncDispose]());

describeForeignClients({
  method: InventoryService.method.checkStock,
  url: () => inventory.url,
  request: () => ({ productId: "copper-moka-pot", quantity: 4 }),
  json: { isAvailable: true, available: 4 },
  message: { isAvailable: true, available: 4 },
});
