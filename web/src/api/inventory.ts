import type { Client } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";

export type InventoryClient = Client<typeof InventoryService>;

/** A client of the catalogue on the page's own origin. */
export function createInventoryClient(): InventoryClient {
  return createClient(InventoryService, createConnectTransport({ baseUrl: location.origin }));
}
