/**
 * Every service in one process. They listen on their ports as they would alone; calls between them go in process, through
 * the same interceptors.
 */
import type { EventBus } from "@smartcart/bus";
import { createLogShipper, openBus } from "@smartcart/bus";
import { makeStateDirectory } from "@smartcart/engines";
import { accessFrom, checkTlsFiles } from "@smartcart/identity";
import { startInventory } from "@smartcart/inventory";
import { startLog } from "@smartcart/log";
import { startNotification } from "@smartcart/notification";
import { startOps } from "@smartcart/ops";
import { startOrder } from "@smartcart/order";
import { startPayment } from "@smartcart/payment";
import type { Logger, RootLogger } from "@smartcart/runtime";
import { isLoopback } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import { startShipping } from "@smartcart/shipping";
import { startStatusHub } from "@smartcart/status-hub";
import { databaseIdentity, openDatabaseServer } from "@smartcart/store";
import type { SmartCartConfig } from "../config.ts";
import type { RunningWebServer } from "../web/server.ts";
import { startWebServer } from "../web/server.ts";
import type { SignInOptions } from "../web/sign-in.ts";
import { openWebTls } from "../web/tls.ts";
import { decideForOneProcess } from "./one-process.ts";

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
  readonly servers: readonly Server[];
  /** Base URL by service: "order", "inventory", "payment", "status-hub", "log", "notification", "shipping", "ops", "web". */
  readonly urls: Readonly<Record<string, string>>;
  readonly databaseUrl: string;
  /** Proves that a caller is a service, where the services ask for it: MESH_SECRET, or one that was made for this process. */
  readonly meshSecret: string | undefined;
  readonly embeddedDatabase: boolean;
}

/** Starts the database server if none is configured, the queue, all services, and the page. Rejects, with everything stopped, if one of them fails. */
export async function startSmartCart(options: SmartCartOptions): Promise<RunningSmartCart> {
  const { amqpUrl, log, signal } = options;
  const { config, signIn } = decideForOneProcess(options.config);
  accessFrom(config);
  checkTlsFiles(config, undefined);
  await using started = new AsyncDisposableStack();
  await makeStateDirectory(options.stateDirectory);
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
      owner: amqpUrl && (await databaseIdentity(databaseUrl, log)),
      name: "smartcart",
      log: log.child({ service: "bus" }),
      ...(signal && { signal }),
    }),
  );
  started.defer(log.addSink(started.use(createLogShipper({ bus }))));

  const servers: Server[] = [];
  const here: Here = {
    config,
    signIn,
    log,
    servers,
    stack: started,
    async run(starting) {
      const running = started.use(await starting);
      servers.push(running);
      return running;
    },
    common: (service) => ({ config, databaseUrl, bus, log: log.child({ service }) }),
  };
  const services = await startServices(here);
  if (hasConsole(config)) await startConsole(here, services);
  if (options.page !== undefined) await startPage(here, await options.page);
  const running = started.move();
  return {
    servers,
    urls: urlsOf(servers),
    databaseUrl,
    meshSecret: config.MESH_SECRET,
    embeddedDatabase: server.embedded,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What the services of this process share. */
interface Here {
  readonly config: SmartCartConfig;
  /** How visitors of the page sign in. */
  readonly signIn: SignInOptions;
  readonly log: RootLogger;
  /** Those that run, in the order of their start. */
  readonly servers: readonly Server[];
  /** Disposed of with the process. */
  readonly stack: AsyncDisposableStack;
  /** Adds a service that is starting: it ends with the process. */
  run<S extends Server>(starting: Promise<S>): Promise<S>;
  /** The options that every service takes. */
  common(service: string): {
    readonly config: SmartCartConfig;
    readonly databaseUrl: string;
    readonly bus: EventBus;
    readonly log: Logger;
  };
}

/** In the order in which they need one another, so that they stop in the reverse order. */
async function startServices({ run, common }: Here) {
  const foundations = [
    run(startLog(common("log"))),
    run(startInventory(common("inventory"))),
    run(startPayment(common("payment"))),
    run(startShipping(common("shipping"))),
  ] as const;
  // Where one of them fails, the others are still starting; they can only be stopped once they have started.
  await Promise.allSettled(foundations);
  const [log, inventory, payment, shipping] = await Promise.all(foundations);
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
  return { order, inventory, payment, notification, shipping, "status-hub": hub, log };
}

type Services = Awaited<ReturnType<typeof startServices>>;

async function startConsole({ run, common }: Here, services: Services): Promise<void> {
  const at = (name: keyof Services) => {
    const { transport, url } = services[name];
    return [{ transport, baseUrl: url }];
  };
  await run(
    startOps({
      ...common("ops"),
      services: {
        order: at("order"),
        inventory: at("inventory"),
        payment: at("payment"),
        notification: at("notification"),
        shipping: at("shipping"),
        "status-hub": at("status-hub"),
        log: at("log"),
      },
    }),
  );
}

async function startPage(
  { config, signIn, log, servers, run, stack }: Here,
  page: string,
): Promise<void> {
  const urls = urlsOf(servers);
  await run(
    startWebServer({
      ...openWebTls(config, log.child({ service: "web" }), stack),
      port: config.WEB_PORT,
      host: config.HOST,
      page,
      allowedHosts: config.ALLOWED_HOSTS,
      trustedProxies: config.TRUSTED_PROXIES,
      rateLimitPerAddress: config.RATE_LIMIT_PER_ADDRESS,
      signIn,
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

/** One of the services, or the page. */
type Server = RunningService | RunningWebServer;

/** Without a token the operations console is for this machine only; the shop starts all the same. */
export function hasConsole({ HOST, OPS_TOKEN, AUTH_ISSUER }: SmartCartConfig): boolean {
  return OPS_TOKEN !== undefined || AUTH_ISSUER !== undefined || isLoopback(HOST);
}

function urlsOf(servers: readonly Server[]): Record<string, string> {
  return Object.fromEntries(servers.map(({ name, url }) => [name, url]));
}
