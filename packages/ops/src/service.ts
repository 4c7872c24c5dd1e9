/** Builds the operator's service from its dependencies. */
import type { Transport } from "@connectrpc/connect";
import type { EventBus } from "@smartcart/bus";
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { PartSwitch } from "@smartcart/mesh";
import { createServiceClient, createSwitch, startServer } from "@smartcart/mesh";
import { createIncrementalCheck, createInvariants } from "@smartcart/reconciler";
import type { Logger, Part, Registry } from "@smartcart/runtime";
import { createMetrics } from "@smartcart/runtime";
import { createDatabase } from "@smartcart/store";
import { guarded, requireTokenOrLoopback } from "./access.ts";
import { createAttention } from "./attention.ts";
import type { OpsConfig } from "./config.ts";
import { createDeadLetterDesk } from "./dead-letter-desk.ts";
import { createFeed } from "./feed.ts";
import { startHopWatch } from "./hop-watch.ts";
import { startLoad } from "./load.ts";
import { startMeshWatch } from "./mesh-watch.ts";
import { startPartWatch } from "./part-watch.ts";
import type { PartAddresses } from "./parts.ts";
import { partNames } from "./parts.ts";
import { plentyOf } from "./plenty.ts";
import { startPromiseWatch } from "./promise-watch.ts";
import { startQueueWatch } from "./queue-watch.ts";
import { createOpsRoutes } from "./routes.ts";
import { createSwitchBoard } from "./switches.ts";

/** What the operator's service is built from. */
export interface OpsOptions {
  readonly config: OpsConfig;
  /** The database of all services, which it reads to hold the promises against it; it has no schema of its own. */
  readonly databaseUrl: string;
  readonly bus: EventBus;
  /** Where the parts are: by their URLs, or by their transports in the same process. */
  readonly parts: PartAddresses;
  readonly log: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Registry;
}

/** A running operator's service. */
export interface RunningOps extends Part {
  readonly port: number;
  /** Calls this service in process, through the interceptors of its server. */
  readonly transport: Transport;
}

/** How long an order may be on its way before it counts as stuck, in milliseconds. */
const settleMs = 60_000;
/** How long the mesh is measured after the last onlooker has left, in milliseconds. */
const lingerMs = 60_000;

/**
 * Watches all parts while somebody watches it, and serves what it sees. It keeps nothing: a restart forgets the past minutes. Throws a
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
      // One holds the promises against what is stored, one answers for the readiness.
      maxConnections: 2,
      applicationName: "ops",
      metrics,
    }),
  );
  const peers = connectPeers(o, starting);
  const load = starting.use(
    startLoad({
      orderUrl: o.parts.order[0]?.baseUrl ?? config.ORDER_URL,
      products: () => plentyOf(peers.inventory),
      log,
    }),
  );
  const own = config.SMARTCART_DEMO ? [loadSwitch(load.setRate)] : undefined;

  const attention = starting.use(createAttention(lingerMs));
  const watches = partNames.flatMap((part) =>
    o.parts[part].map((address) =>
      starting.use(
        startPartWatch({ part, address, log, meshSecret: config.MESH_SECRET, attention }),
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
      switches: own ?? [],
      feed: snapshots,
      attention,
      log,
    }),
  );
  const promises = starting.use(
    startPromiseWatch({
      check: createIncrementalCheck({ database, settleMs }),
      invariants: createInvariants({ settleMs }),
      peers,
      intervalMs: config.OPS_CHECK_INTERVAL_MS,
      brokenAfterMs: config.OPS_BROKEN_AFTER_MS,
      log,
    }),
  );
  const letters = createDeadLetterDesk(bus);
  const setSwitch = createSwitchBoard({ watches, own });
  const routes = createOpsRoutes({ mesh, snapshots, promises, letters, setSwitch });
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
      switches: own,
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
function connectPeers({ config, parts, log }: OpsOptions, starting: AsyncDisposableStack) {
  const common = { caller: "reconciler", log, meshSecret: config.MESH_SECRET };
  return {
    inventory: starting.use(
      createServiceClient(InventoryService, { ...common, ...parts.inventory[0] }),
    ),
    payment: starting.use(createServiceClient(PaymentService, { ...common, ...parts.payment[0] })),
  };
}

function loadSwitch(setRate: (ordersPerSecond: number) => void): PartSwitch {
  return createSwitch({
    name: "load",
    title: "Place orders",
    max: 200,
    unit: "orders/s",
    onTurn: setRate,
  });
}
