/** Builds the operator's service from its dependencies. */
import type { Transport } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { FaultSwitch } from "@smartcart/mesh";
import { createFaultSwitch, createServiceClient, startServer } from "@smartcart/mesh";
import { createIncrementalCheck, createInvariants } from "@smartcart/reconciler";
import type { Logger, Registry, RunningService } from "@smartcart/runtime";
import { createMetrics } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { guarded, requireTokenOrLoopback } from "./access.ts";
import { createAttention } from "./attention.ts";
import type { OpsConfig } from "./config.ts";
import { createDeadLetterActions } from "./dead-letter-actions.ts";
import { createFaultSwitches } from "./fault-switches.ts";
import { createFeed } from "./feed.ts";
import { startHopWatch } from "./hop-watch.ts";
import type { InstanceAddresses } from "./instance-addresses.ts";
import { serviceNames } from "./instance-addresses.ts";
import { startInstanceWatch } from "./instance-watch.ts";
import { startInvariantWatch } from "./invariant-watch.ts";
import { startLoad } from "./load.ts";
import { startMeshWatch } from "./mesh-watch.ts";
import { startQueueWatch } from "./queue-watch.ts";
import { createOpsRoutes } from "./routes.ts";
import { wellStockedProducts } from "./well-stocked.ts";

/** What the operator's service is built from. */
export interface OpsOptions {
  readonly config: OpsConfig;
  /** The database of all services, which it reads to hold the invariants against it; it has no schema of its own. */
  readonly databaseUrl: string;
  readonly bus: EventBus;
  /** Where the services are: by their URLs, or by their transports in the same process. */
  readonly services: InstanceAddresses;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** A running operator's service. */
export interface RunningOps extends RunningService {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/** How long an order may be on its way before it counts as stuck, in milliseconds. */
const settleMs = 60_000;
/** How long the mesh is measured after the last onlooker has left, in milliseconds. */
const lingerMs = 60_000;

/**
 * Watches all services while somebody watches it, and serves what it sees. It keeps nothing: a restart forgets the past minutes. Throws a
 * StartError where it would be open to the network without a token.
 */
export async function startOps(o: OpsOptions): Promise<RunningOps> {
  const { config, bus, log, metrics = createMetrics("ops") } = o;
  requireTokenOrLoopback(config.HOST, config.OPS_TOKEN);
  await using starting = new AsyncDisposableStack();
  const database = starting.use(
    createDatabase({
      url: o.databaseUrl,
      schema: "public",
      log,
      // One holds the invariants against what is stored, one answers for the readiness.
      maxConnections: 2,
      applicationName: "ops",
      metrics,
    }),
  );
  const peers = connectPeers(o, starting);
  const load = starting.use(
    startLoad({
      orderUrl: o.services.order[0]?.baseUrl ?? config.ORDER_URL,
      products: () => wellStockedProducts(peers.inventory),
      log,
    }),
  );
  const own = config.SMARTCART_DEMO ? [loadSwitch(load.setRate)] : undefined;

  const attention = starting.use(createAttention(lingerMs));
  const watches = serviceNames.flatMap((service) =>
    o.services[service].map((address) =>
      starting.use(
        startInstanceWatch({ service, address, log, meshSecret: config.MESH_SECRET, attention }),
      ),
    ),
  );
  const snapshots = createFeed<MeshSnapshot>(attention.followers);
  const queues = starting.use(startQueueWatch({ bus, log, attention }));
  const hops = starting.use(startHopWatch({ bus, log, attention }));
  const mesh = starting.use(
    startMeshWatch({
      watches,
      queues,
      hops,
      faultSwitches: own ?? [],
      feed: snapshots,
      attention,
      log,
    }),
  );
  const invariants = starting.use(
    startInvariantWatch({
      check: createIncrementalCheck({ database, settleMs }),
      invariants: createInvariants({ settleMs }),
      peers,
      intervalMs: config.OPS_CHECK_INTERVAL_MS,
      brokenAfterMs: config.OPS_BROKEN_AFTER_MS,
      log,
    }),
  );
  const letters = createDeadLetterActions(bus);
  const setFaultSwitch = createFaultSwitches({ watches, own });
  const routes = createOpsRoutes({ mesh, snapshots, invariants, letters, setFaultSwitch });
  const server = starting.use(
    await startServer({
      name: "ops",
      port: config.OPS_PORT,
      portVariable: "OPS_PORT",
      host: config.HOST,
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      services: [OpsService],
      routes: (router) => router.service(OpsService, guarded(routes, config.OPS_TOKEN)),
      log,
      metrics,
      meshSecret: config.MESH_SECRET,
      faultSwitches: own,
      checks: { database: () => database.ping(), bus: () => bus.check() },
    }),
  );
  const running = starting.move();
  return {
    name: "ops",
    url: server.url,
    port: server.port,
    transport: server.transport,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Repairs are made in the reconciler's name, which the contract allows to make them. */
function connectPeers({ config, services, log }: OpsOptions, starting: AsyncDisposableStack) {
  const common = { caller: "reconciler", log, meshSecret: config.MESH_SECRET };
  return {
    inventory: starting.use(
      createServiceClient(InventoryService, { ...common, ...services.inventory[0] }),
    ),
    payment: starting.use(
      createServiceClient(PaymentService, { ...common, ...services.payment[0] }),
    ),
  };
}

function loadSwitch(setRate: (ordersPerSecond: number) => void): FaultSwitch {
  return createFaultSwitch({
    name: "load",
    title: "Place orders",
    max: 200,
    unit: "orders/s",
    onTurn: setRate,
  });
}
