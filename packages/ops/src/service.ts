/** Builds the ops service from its dependencies. */
import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { LogService } from "@smartcart/gen/log/v1/log_service_pb";
import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import { OpsService } from "@smartcart/gen/ops/v1/ops_service_pb";
import { OrderAdminService } from "@smartcart/gen/order/v1/order_admin_service_pb";
import { OrderService } from "@smartcart/gen/order/v1/order_service_pb";
import { PaymentService } from "@smartcart/gen/payment/v1/payment_service_pb";
import type { FaultSwitch } from "@smartcart/mesh";
import { createServiceClient } from "@smartcart/mesh";
import { createIncrementalCheck, createInvariants } from "@smartcart/reconciler";
import type { RunningService, ServiceContext, ServiceOptions } from "@smartcart/service";
import { startService } from "@smartcart/service";
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
import { createLoadSwitch } from "./load-switch.ts";
import { startMeshWatch } from "./mesh-watch.ts";
import { startMinuteWatch } from "./minute-watch.ts";
import { startQueueWatch } from "./queue-watch.ts";
import { relayLogs } from "./relay-logs.ts";
import { createOpsRoutes } from "./routes.ts";
import { archiveDeadLetters, insertMinute } from "./store.ts";
import { wellStockedProducts } from "./well-stocked.ts";

/** What the ops service is built from. The database is that of all services, which it reads to hold the invariants against it. */
export interface OpsOptions extends ServiceOptions<OpsConfig> {
  /** Where the services are: by their URLs, or by their transports in the same process. */
  readonly services: InstanceAddresses;
}

const migrations = [{ name: "ops", directory: new URL("../migrations/", import.meta.url) }];

/** How long an order may be on its way before it counts as stuck, in milliseconds. */
const settleMs = 60_000;
/** How long the load switch stays on, in milliseconds: a console that is left behind must not fill the shop with orders. */
const loadMs = 300_000;
/** How long the mesh is measured after the last onlooker has left, in milliseconds. */
const lingerMs = 60_000;

/**
 * Watches all services while a console is open, and serves what it sees. It keeps the figures of a day, and archived dead letters.
 */
export async function startOps(o: OpsOptions): Promise<RunningService> {
  const { config, databaseUrl: url, bus, log } = o;
  const definition = { name: "ops", portVariable: "OPS_PORT", ...o } as const;
  return startService(definition, async ({ stack, openDatabase, connect, tls }) => {
    // One connection holds the invariants against what all services store, the other ones serve what is kept here.
    const database = await openDatabase({ url, schema: "ops", migrations, maxConnections: 3 });
    const peers = connectPeers(o, { stack, tls });
    const load = stack.use(
      startLoad({
        orders: connect(OrderService, o.services.order[0] ?? { baseUrl: config.ORDER_URL }),
        products: () => wellStockedProducts(peers.inventory),
        log,
      }),
    );
    const loadSwitch = stack.use(createLoadSwitch(load.setRate, loadMs));
    const faultSwitches = config.SMARTCART_DEMO ? [loadSwitch] : [];
    const watched = watchMesh(o, faultSwitches, { stack, tls });
    const invariants = stack.use(
      startInvariantWatch({
        check: createIncrementalCheck({ database, settleMs }),
        invariants: createInvariants({ settleMs }),
        peers,
        intervalMs: config.OPS_CHECK_INTERVAL_MS,
        brokenAfterMs: config.OPS_BROKEN_AFTER_MS,
        log,
      }),
    );
    stack.use(
      startMinuteWatch({
        watches: watched.watches,
        bus,
        store: (minute) => insertMinute(database, minute),
        log,
      }),
    );
    const deadLetters = createDeadLetterActions(bus, (some) => archiveDeadLetters(database, some));
    const routes = createOpsRoutes({
      ...watched,
      database,
      bus,
      sources: peers.story,
      invariants,
      deadLetters,
    });
    return {
      services: [OpsService],
      routes(router) {
        router.service(OpsService, routes);
        router.rpc(LogService.method.tailLogs, relayLogs(peers.logs));
      },
      streamSocketPath: "/ops/streams",
      faultSwitches,
      checks: { bus: () => bus.check() },
    };
  });
}

/** Watches every instance, the queues and the hops between them, while `snapshots` has followers. */
function watchMesh(
  { config, services, bus, log }: OpsOptions,
  faultSwitches: readonly FaultSwitch[],
  { stack, tls }: Pick<ServiceContext, "stack" | "tls">,
) {
  const attention = stack.use(createAttention(lingerMs));
  const common = { log, attention };
  const watches = serviceNames.flatMap((service) =>
    services[service].map((address) =>
      stack.use(
        startInstanceWatch({ ...common, service, address, meshSecret: config.MESH_SECRET, tls }),
      ),
    ),
  );
  const snapshots = createFeed<MeshSnapshot>(attention.followers);
  const queues = stack.use(startQueueWatch({ ...common, bus }));
  const hops = stack.use(startHopWatch({ ...common, bus }));
  const mesh = stack.use(
    startMeshWatch({ ...common, watches, queues, hops, faultSwitches, feed: snapshots }),
  );
  const own = config.SMARTCART_DEMO ? faultSwitches : undefined;
  return { mesh, snapshots, watches, setFaultSwitch: createFaultSwitches({ watches, own }) };
}

/** Repairs are made in the reconciler's name, which the contract allows to make them. */
function connectPeers(
  { config, services, log }: OpsOptions,
  { stack, tls }: Pick<ServiceContext, "stack" | "tls">,
) {
  const common = { caller: "reconciler", log, meshSecret: config.MESH_SECRET, tls };
  const ops = { ...common, caller: "ops" };
  const logs = stack.use(createServiceClient(LogService, { ...ops, ...services.log[0] }));
  return {
    logs,
    story: {
      logs,
      orders: stack.use(createServiceClient(OrderAdminService, { ...ops, ...services.order[0] })),
    },
    inventory: stack.use(
      createServiceClient(InventoryService, { ...common, ...services.inventory[0] }),
    ),
    payment: stack.use(createServiceClient(PaymentService, { ...common, ...services.payment[0] })),
  };
}
