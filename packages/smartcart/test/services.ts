/** The services in this process but each on its own, so that one of them can be missing for a while. They call one another by URL. */
import type { EventBus } from "@smartcart/bus";
import { openBus } from "@smartcart/bus";
import { hasTls } from "@smartcart/identity";
import { startInventory } from "@smartcart/inventory";
import { startLog } from "@smartcart/log";
import { startNotification } from "@smartcart/notification";
import { startOrder } from "@smartcart/order";
import { startPayment } from "@smartcart/payment";
import { silentLogger } from "@smartcart/runtime";
import type { RunningService } from "@smartcart/service";
import { startShipping } from "@smartcart/shipping";
import { startStatusHub } from "@smartcart/status-hub";
import { createTestDatabase, freePorts } from "@smartcart/testkit";
import type { SmartCartConfig } from "../src/config.ts";
import { parseSmartCartConfig } from "../src/config.ts";
import { createShopper } from "./stack.ts";

interface Wiring {
  readonly config: SmartCartConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly log: typeof silentLogger;
}

const starts = {
  log: startLog,
  inventory: startInventory,
  payment: startPayment,
  shipping: startShipping,
  order: (wiring: Wiring) =>
    startOrder({
      ...wiring,
      peers: {
        inventory: { baseUrl: wiring.config.INVENTORY_URL },
        payment: { baseUrl: wiring.config.PAYMENT_URL },
        shipping: { baseUrl: wiring.config.SHIPPING_URL },
      },
    }),
  notification: startNotification,
  "status-hub": (wiring: Wiring) =>
    startStatusHub({ ...wiring, peers: { order: { baseUrl: wiring.config.ORDER_URL } } }),
} satisfies Record<string, (wiring: Wiring) => Promise<RunningService>>;

export type ServiceName = keyof typeof starts;

export interface ServicesOptions {
  /** Those that are not started yet. */
  readonly without: readonly ServiceName[];
  /** Further settings. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
  /** The database and the queue of each service. Default: one database for all, and the queue in it. */
  readonly connections?: (name: ServiceName) => {
    readonly databaseUrl: string;
    readonly amqpUrl: string | undefined;
  };
}

export async function startServices({ without, env: further = {}, connections }: ServicesOptions) {
  await using started = new AsyncDisposableStack();
  const names = Object.keys(starts) as ServiceName[];
  const ports = await freePorts(names.length);
  const scheme = hasTls(further) ? "https" : "http";
  const urls = Object.fromEntries(
    names.map((name, i) => [name, `${scheme}://127.0.0.1:${ports[i]}`]),
  );
  const env = names.flatMap((name, index) => {
    const variable = name.replace("-hub", "").toUpperCase();
    return [
      [`${variable}_PORT`, String(ports[index])],
      [`${variable}_URL`, urls[name]],
    ];
  });
  const log = silentLogger;
  const { url: databaseUrl } = started.use(await createTestDatabase());
  const shared =
    connections === undefined
      ? started.use(await openBus({ databaseUrl, name: "services", log }))
      : undefined;
  const config = parseSmartCartConfig({
    ...Object.fromEntries(env),
    SHIPPING_DELAY_MS: "0",
    ORDER_ANSWER_TIMEOUT_MS: "20000",
    SHIPPING_LOG_FILE: "/dev/null",
    ...further,
  });
  const startOn = async (stack: AsyncDisposableStack, name: ServiceName): Promise<void> => {
    const own = { databaseUrl, ...connections?.(name) };
    const bus = shared ?? stack.use(await openBus({ ...own, name, log }));
    stack.use(await starts[name]({ config, databaseUrl: own.databaseUrl, bus, log }));
  };
  for (const name of names.filter((name) => !without.includes(name))) await startOn(started, name);
  const running = started.move();
  return {
    ...createShopper(urls),
    databaseUrl,
    urls,
    /** Starts one that was missing. */
    start: (name: ServiceName): Promise<void> => startOn(running, name),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
