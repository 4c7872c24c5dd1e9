/**
 * Serves `CheckStock` from memory: on the mesh's full listener ("mesh"), or on Connect's own adapter ("bare"). The answer is
 * the same, so that what differs is the price of the mesh. Arguments: kind, port of gRPC, port of HTTP/1.1.
 */
import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { startServer } from "@smartcart/mesh";
import { createMetrics, silentLogger } from "@smartcart/runtime";

const [kind, grpcPort, jsonPort] = process.argv.slice(2);

const routes = (router: ConnectRouter) =>
  void router.service(InventoryService, {
    checkStock: ({ quantity }) => ({ isAvailable: quantity <= 1_000_000, available: 1_000_000 }),
  });

const host = "127.0.0.1";
if (kind === "bare") {
  const handler = connectNodeAdapter({ routes });
  createHttp2(handler).listen(Number(grpcPort), host);
  createHttp1(handler).listen(Number(jsonPort), host);
} else {
  await startServer({
    name: "inventory",
    port: Number(grpcPort),
    portVariable: "INVENTORY_PORT",
    host,
    routes,
    services: [InventoryService],
    rest: [InventoryService],
    log: silentLogger,
    metrics: createMetrics("inventory"),
    meshSecret: "bench-secret-of-the-mesh-0123456789",
  });
}
// The profiler writes its file only where a process ends by itself.
process.once("SIGTERM", () => process.exit());
