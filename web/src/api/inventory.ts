import type { Client } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { Session } from "../session/session.ts";
import { createBearerInterceptor } from "./bearer.ts";

export type InventoryClient = Client<typeof InventoryService>;

/** A client of the catalogue on the page's own origin. */
export function createInventoryClient(session: Session): InventoryClient {
  const transport = createConnectTransport({
    baseUrl: location.origin,
    interceptors: [createBearerInterceptor(session)],
  });
  return createClient(InventoryService, transport);
}
