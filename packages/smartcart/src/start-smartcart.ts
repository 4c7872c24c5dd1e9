/**
 * Every part in one process. They listen on their ports as they would alone; calls between them go in process, through
 * the same interceptors.
 */
import type { Transport } from "@connectrpc/connect";
import { createLogShipper, openBus } from "@smartcart/bus";
import { startInventory } from "@smartcart/inventory";
import { startLog } from "@smartcart/log";
import { startNotification } from "@smartcart/notification";
import { startOps } from "@smartcart/ops";
import { startOrder } from "@smartcart/order";
import { startPayment } from "@smartcart/payment";
import type { RootLogger, RunningService } from "@smartcart/runtime";
import { isLoopback } from "@smartcart/runtime";
import { startShipping } from "@smartcart/shipping";
import { startStatusHub } from "@smartcart/status-hub";
import { openDatabaseServer } from "@smartcart/store";
import type { SmartCartConfig } from "./config.ts";
import { withDemoDefault } from "./config.ts";
import { startWebServer } from "./web-server.ts";

/** What all services in one process are built from. */
export interface SmartCartOptions {
  readonly config: SmartCartConfig;
  /** Where the embedded database lives. */
  readonly stateDirectory: string;
  /** The queue. Undefined: the one on PostgreSQL. */
  readonly amqpUrl: string | undefined;
  /** The folder of the built page, which may still be being built. Undefined: no page. */
  readonly page: Promise<string> | string | undefined;
  readonly log: RootLogger;
  readonly signal?: AbortSignal;
}

/** All services in one process. Disposing drains them in reverse order of their start. */
export interface RunningSmartCart extends AsyncDisposable {
  readonly parts: readonly RunningService[];
  /** Base URL by part: "order", "inventory", "payment", "status-hub", "log", "notification", "shipping", "ops", "web". */
  readonly urls: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  readonly embeddedDatabase: boolean;
}

/** Starts the database server if none is configured, the queue, all services, and the page. Rejects, with everything stopped, if one of them fails. */
export async function startSmartCart(options: SmartCartOptions): Promise<RunningSmartCart> {
  const { amqpUrl, log, signal } = options;
  const config = withDemoDefault(options.config);
  await using started = new AsyncDisposableStack();
  const server = started.use(
    await openDatabaseServer({
      databaseUrl: config.DATABASE_URL,
      stateDirectory: options.stateDirectory,
      log: log.child({ service: "store" }),
      ...(signal && { signal }),
    }),
  );
  const databaseUrl = server.url;
  const bus = started.use(
    await openBus({
      amqpUrl,
      databaseUrl,
      name: "smartcart",
      log: log.child({ service: "bus" }),
      ...(signal && { signal }),
    }),
  );
  started.defer(log.addSink(started.use(createLogShipper({ bus }))));

  const parts: RunningService[] = [];
  const run = async <P extends RunningService>(part: Promise<P>): Promise<P> => {
    const running = started.use(await part);
    parts.push(running);
    return running;
  };
  const common = (service: string) => ({ config, databaseUrl, bus, log: log.child({ service }) });

  // In the order in which they need one another, so that they stop in the reverse order.
  const foundations = [
    run(startLog(common("log"))),
    run(startInventory(common("inventory"))),
    run(startPayment(common("payment"))),
    run(startShipping(common("shipping"))),
  ] as const;
  // Where one of them fails, the others are still starting; they can only be stopped once they have started.
  await Promise.allSettled(foundations);
  const [logs, inventory, payment, shipping] = await Promise.all(foundations);
  const order = await run(
    startOrder({
      ...common("order"),
      peers: {
        inventory: { transport: inventory.transport },
        payment: { transport: payment.transport },
        shipping: { transport: shipping.transport },
      },
    }),
  );
  const notification = await run(startNotification(common("notification")));
  const hub = await run(
    startStatusHub({ ...common("status-hub"), peers: { order: { transport: order.transport } } }),
  );
  if (hasConsole(config)) {
    const here = ({ transport, url: baseUrl }: ServedPart) => [{ transport, baseUrl }];
    await run(
      startOps({
        ...common("ops"),
        services: {
          order: here(order),
          inventory: here(inventory),
          payment: here(payment),
          notification: here(notification),
          shipping: here(shipping),
          "status-hub": here(hub),
          log: here(logs),
        },
      }),
    );
  }
  if (options.page !== undefined) {
    const urls = urlsOf(parts);
    await run(
      startWebServer({
        port: config.WEB_PORT,
        host: config.HOST,
        page: await options.page,
        allowedHosts: config.ALLOWED_HOSTS,
        trustedProxies: config.TRUSTED_PROXIES,
        log: log.child({ service: "web" }),
        upstreams: {
          order: urls.order,
          inventory: urls.inventory,
          status: urls["status-hub"],
          log: urls.log,
          ops: urls.ops,
        },
      }),
    );
  }
  const running = started.move();
  return {
    parts,
    urls: urlsOf(parts),
    databaseUrl,
    embeddedDatabase: server.embedded,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

type ServedPart = RunningService & { readonly transport: Transport };

/** Without a token the operations console is for this machine only; the shop starts all the same. */
function hasConsole({ HOST, OPS_TOKEN }: SmartCartConfig): boolean {
  return OPS_TOKEN !== undefined || isLoopback(HOST);
}

function urlsOf(parts: readonly RunningService[]): Record<string, string> {
  return Object.fromEntries(parts.map(({ name, url }) => [name, url]));
}
