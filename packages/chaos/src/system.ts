/** The whole of SmartCart as processes, with a fault proxy on every link. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { delay, silentLogger, startTimer } from "@smartcart/runtime";
import { compileCache, waitFor } from "@smartcart/testkit";
import type { FaultProxy } from "./fault-proxy.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import type { Infrastructure } from "./infrastructure.ts";
import type { ServiceProcess } from "./service-process.ts";
import { createServiceProcess } from "./service-process.ts";

const services = {
  inventory: { portVariable: "INVENTORY_PORT", calls: [] },
  payment: { portVariable: "PAYMENT_PORT", calls: [] },
  shipping: { portVariable: "SHIPPING_PORT", calls: [] },
  order: {
    portVariable: "ORDER_PORT",
    calls: [
      { service: "inventory", variable: "INVENTORY_URL" },
      { service: "payment", variable: "PAYMENT_URL" },
      { service: "shipping", variable: "SHIPPING_URL" },
    ],
  },
  notification: { portVariable: "NOTIFICATION_PORT", calls: [] },
  "status-hub": {
    portVariable: "STATUS_PORT",
    calls: [{ service: "order", variable: "ORDER_URL" }],
  },
  log: { portVariable: "LOG_PORT", calls: [] },
  // Every part in one process, reached where the order service is.
  smartcart: { portVariable: "ORDER_PORT", calls: [] },
} as const satisfies Record<
  string,
  { portVariable: string; calls: readonly { service: string; variable: string }[] }
>;

export type ServiceName = keyof typeof services;

/** How many processes of each service run. */
export type Replicas = Readonly<Record<ServiceName, number>>;

/** Two of every service at once, and one log. */
export const fullReplicas: Replicas = {
  inventory: 2,
  payment: 2,
  shipping: 2,
  order: 2,
  notification: 2,
  "status-hub": 2,
  log: 1,
  smartcart: 0,
};

/** Two processes with every part in each. */
export const wholeReplicas: Replicas = {
  ...(Object.fromEntries(Object.keys(services).map((service) => [service, 0])) as Replicas),
  smartcart: 2,
};

/** The names of the processes, in the order in which they are started: "inventory-1", … */
export function serviceNames(replicas: Replicas): string[] {
  return (Object.keys(services) as ServiceName[]).flatMap((service) =>
    Array.from({ length: replicas[service] }, (_, index) => `${service}-${index + 1}`),
  );
}

/** The names of the links: "order-1→payment", "payment-2→database", "client→order", … */
export function linkNames(replicas: Replicas): string[] {
  const ofParts = serviceNames(replicas).flatMap((part) => [
    `${part}→database`,
    `${part}→broker`,
    ...services[serviceOf(part)].calls.map(({ service }) => `${part}→${service}`),
  ]);
  return [...ofParts, "client→order", "client→status-hub"];
}

export interface System extends AsyncDisposable {
  readonly parts: ReadonlyMap<string, ServiceProcess>;
  readonly links: ReadonlyMap<string, FaultProxy>;
  readonly infrastructure: Infrastructure;
  /** The REST interface, through a proxy. */
  readonly orderUrl: string;
  /** The WebSocket, through a proxy. */
  readonly hubUrl: string;
  /** File with a line for each shipment that began. */
  readonly shippingLog: string;
  /** Tells the proxies where everything is now; to be called after each restart. */
  retarget(): void;
  /** Waits until every part is ready, and answers the names of those that are not in time. */
  ready(timeoutMs: number): Promise<readonly string[]>;
  /** Parts that ended though nobody killed them, with what they wrote at last. Each was started again. */
  readonly gaveUp: readonly { readonly part: string; readonly output: string }[];
}

export interface SystemOptions {
  readonly infrastructure: Infrastructure;
  readonly directory: string;
  readonly replicas: Replicas;
  /** Modules to load into every part: the mutants. */
  readonly preload: readonly string[];
  /** Settings that differ from the usual ones, for every part. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startSystem(o: SystemOptions): Promise<System> {
  await using started = new AsyncDisposableStack();
  await mkdir(o.directory, { recursive: true });
  const links = new Map<string, FaultProxy>();
  for (const [index, name] of linkNames(o.replicas).entries()) {
    links.set(name, started.use(await startFaultProxy({ targets: [], firstTurn: index })));
  }
  const shippingLog = join(o.directory, "shipping.log");
  const parts = new Map<string, ServiceProcess>();
  for (const name of serviceNames(o.replicas)) {
    const service = serviceOf(name);
    const part = createServiceProcess({
      name,
      service,
      portVariable: services[service].portVariable,
      env: { ...environment(name, links, o), SHIPPING_LOG_FILE: shippingLog },
      preload: o.preload,
      logFile: join(o.directory, `${name}.log`),
    });
    parts.set(name, started.use(part));
  }
  const { database, broker } = o.infrastructure;
  const retarget = () => {
    for (const [name, proxy] of links) {
      const to = name.split("→")[1] ?? "";
      if (to === "database") proxy.setTargets([database.port]);
      else if (to === "broker") proxy.setTargets([broker.port]);
      else proxy.setTargets([...parts.values()].filter((p) => serves(p, to)).map((p) => p.port));
    }
  };
  const all = [...parts.values()];
  const ready = async (timeoutMs: number) => {
    const late = await Promise.all(
      all.map((part) =>
        waitFor(() => part.isReady(), { timeoutMs, intervalMs: 100 }).then(
          () => [],
          () => [part.name],
        ),
      ),
    );
    return late.flat();
  };
  await Promise.all(all.map((part) => part.start()));
  retarget();
  await startTogether(all, ready);
  const gaveUp: { part: string; output: string }[] = [];
  started.use(startSupervisor(all, gaveUp, retarget));

  const running = started.move();
  const url = (link: string) => `127.0.0.1:${links.get(link)?.port}`;
  return {
    parts,
    links,
    infrastructure: o.infrastructure,
    orderUrl: `http://${url("client→order")}`,
    hubUrl: `ws://${url("client→status-hub")}/ws`,
    shippingLog,
    retarget,
    ready,
    gaveUp,
    async [Symbol.asyncDispose]() {
      // All at once: one after the other would take the time of all drains together.
      await Promise.all(all.map((part) => part[Symbol.asyncDispose]()));
      await running.disposeAsync();
    },
  };
}

/** The first start: a part that gives up here is a mistake of ours, not of the weather. */
async function startTogether(
  all: readonly ServiceProcess[],
  ready: (timeoutMs: number) => Promise<readonly string[]>,
): Promise<void> {
  const failed = new AbortController();
  const failure = (async () => {
    while (!failed.signal.aborted) {
      const part = all.find(({ hasGivenUp }) => hasGivenUp);
      if (part) throw new Error(`${part.name} did not start; it wrote:\n${await part.tail()}`);
      await delay(100);
    }
    return [];
  })();
  try {
    const late = await Promise.race([ready(120_000), failure]);
    if (late.length > 0) throw new Error(`not ready within two minutes: ${late.join(", ")}`);
  } finally {
    failed.abort();
    await failure.catch(() => {});
  }
}

/** Starts again what has ended by itself, as Docker or systemd would. */
function startSupervisor(
  all: readonly ServiceProcess[],
  gaveUp: { part: string; output: string }[],
  retarget: () => void,
): AsyncDisposable {
  return startTimer({
    name: "chaos.supervisor",
    intervalMs: 300,
    log: silentLogger,
    async run() {
      for (const part of all.filter(({ hasGivenUp }) => hasGivenUp)) {
        gaveUp.push({ part: part.name, output: await part.tail() });
        if (part.hasGivenUp) await part.start();
        retarget();
      }
    },
  });
}

/** Two of the same parts on one machine: nobody asks for them by their ports. */
const anyPorts = Object.fromEntries(
  ["INVENTORY", "PAYMENT", "SHIPPING", "NOTIFICATION", "STATUS", "LOG", "OPS", "WEB"].map(
    (part) => [`${part}_PORT`, "0"],
  ),
);

function environment(
  part: string,
  links: ReadonlyMap<string, FaultProxy>,
  { infrastructure, directory, env }: SystemOptions,
): Record<string, string> {
  const through = (url: string, link: string) => {
    const proxied = new URL(url);
    proxied.port = String(links.get(link)?.port);
    return proxied.href;
  };
  const peers = services[serviceOf(part)].calls.map(({ service, variable }) => [
    variable,
    `http://127.0.0.1:${links.get(`${part}→${service}`)?.port}`,
  ]);
  return {
    ...Object.fromEntries(peers),
    DATABASE_URL: through(infrastructure.database.url, `${part}→database`),
    AMQP_URL: through(infrastructure.broker.url, `${part}→broker`),
    SMARTCART_STATE: directory,
    // Halves the CPU time of a start; a restarted part finds what the first one compiled.
    NODE_COMPILE_CACHE: compileCache,
    LOG_LEVEL: "info",
    SHIPPING_DELAY_MS: "300",
    // A lost message has to be seen here, not healed.
    ORDER_SHIPMENT_OVERDUE_MS: "3600000",
    // Short enough that a payment which hangs outlives its reservation.
    RESERVATION_TTL_MS: "6000",
    // Shorter than PROVIDER_SLOW_MS, so that tok_slow is an unknown outcome as well.
    PROVIDER_TIMEOUT_MS: "1000",
    STATUS_HEARTBEAT_MS: "3000",
    ...(serviceOf(part) === "smartcart" && anyPorts),
    ...env,
  };
}

function serves({ service }: ServiceProcess, wanted: string): boolean {
  return service === wanted || (service === "smartcart" && wanted === "order");
}

function serviceOf(part: string): ServiceName {
  return part.replace(/-\d+$/, "") as ServiceName;
}
