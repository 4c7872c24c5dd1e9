import type { Client, Interceptor } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { CatalogueAdminService } from "@smartcart/gen/inventory/v1/catalogue_admin_service_pb";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import type { InventoryClient } from "./inventory.ts";
import { createStreamInterceptor } from "./stream-interceptor.ts";

export type OpsClient = Client<typeof OpsService>;
export type LogClient = Client<typeof LogService>;
export type OrderAdminClient = Client<typeof OrderAdminService>;
export type CatalogueAdminClient = Client<typeof CatalogueAdminService>;

/** Clients of the ops service, of the central log, the orders and the catalogue, on the page's own origin. */
export function createConsoleClients(interceptor: Interceptor): {
  readonly ops: OpsClient;
  readonly logs: LogClient;
  readonly orders: OrderAdminClient;
  readonly catalogue: CatalogueAdminClient;
  readonly inventory: InventoryClient;
} {
  const streams = new URL("/ops/streams", location.href);
  streams.protocol = streams.protocol.replace("http", "ws");
  const transport = createConnectTransport({
    baseUrl: location.origin,
    interceptors: [interceptor, createStreamInterceptor(streams.href)],
    // Snapshots come for hours: a third of the bytes, and less to parse.
    useBinaryFormat: true,
  });
  return {
    ops: createClient(OpsService, transport),
    logs: createClient(LogService, transport),
    orders: createClient(OrderAdminService, transport),
    catalogue: createClient(CatalogueAdminService, transport),
    inventory: createClient(InventoryService, transport),
  };
}
