/** SmartCart as processes, with a fault proxy on every link. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { delay, silentLogger, startTimer } from "@smartcart/runtime";
import { waitFor } from "@smartcart/testkit";
import type { FaultProxy } from "../faults/fault-proxy.ts";
import { startFaultProxy } from "../faults/fault-proxy.ts";
import type { Infrastructure } from "./infrastructure.ts";
import type { ServiceProcess } from "./service-process.ts";
import { createServiceProcess } from "./service-process.ts";
import type { EnvironmentOptions } from "./system-environment.ts";
import { environment } from "./system-environment.ts";
import type { Replicas } from "./system-topology.ts";
import { instanceNames, linkNames, serves, serviceOf, services } from "./system-topology.ts";

/** Instances by name ("order-1"), proxies by link ("order-1→payment"). An instance that ends by itself is started again. */
export interface System extends AsyncDisposable {
  readonly instances: ReadonlyMap<string, ServiceProcess>;
  readonly links: ReadonlyMap<string, FaultProxy>;
  readonly infrastructure: Infrastructure;
  /** The REST interface, through a proxy. */
  readonly orderUrl: string;
  /** The RPCs of inventory, through a proxy. Without a target if inventory has no process of its own. */
  readonly inventoryUrl: string;
  /** The WebSocket, through a proxy. */
  readonly hubUrl: string;
  /** File with a line for each shipment that began. */
  readonly shippingLog: string;
  /** Points the proxies to the current ports; to be called after each restart. */
  retarget(): void;
  /** Waits until every instance is ready, and returns the names of those that are not in time. */
  ready(timeoutMs: number): Promise<readonly string[]>;
  /** Instances that ended by themselves, with their last output. Each was started again. */
  readonly gaveUp: readonly { readonly instance: string; readonly output: string }[];
}

export interface SystemOptions extends EnvironmentOptions {
  readonly replicas: Replicas;
  /** Modules to load into every instance: the mutants. */
  readonly preload: readonly string[];
}

export async function startSystem(o: SystemOptions): Promise<System> {
  await using started = new AsyncDisposableStack();
  await mkdir(o.directory, { recursive: true });
  const links = new Map<string, FaultProxy>();
  for (const [index, name] of linkNames(o.replicas).entries()) {
    links.set(name, started.use(await startFaultProxy({ targets: [], firstTurn: index })));
  }
  const shippingLog = join(o.directory, "shipping.log");
  const instances = new Map<string, ServiceProcess>();
  for (const name of instanceNames(o.replicas)) {
    instances.set(name, started.use(createInstance(name, links, { ...o, shippingLog })));
  }
  const all = [...instances.values()];
  const retarget = () => aim(links, all, o.infrastructure);
  const ready = (timeoutMs: number) => lateOnes(all, timeoutMs);
  await Promise.all(all.map((instance) => instance.start()));
  retarget();
  await startTogether(all);
  const gaveUp: { instance: string; output: string }[] = [];
  started.use(startSupervisor(all, gaveUp, retarget));

  const running = started.move();
  const url = (link: string) => `127.0.0.1:${links.get(link)?.port}`;
  return {
    instances,
    links,
    infrastructure: o.infrastructure,
    orderUrl: `http://${url("client→order")}`,
    inventoryUrl: `http://${url("client→inventory")}`,
    hubUrl: `ws://${url("client→status-hub")}/ws`,
    shippingLog,
    retarget,
    ready,
    gaveUp,
    async [Symbol.asyncDispose]() {
      // All at once: one after the other would take the time of all drains together.
      await Promise.all(all.map((instance) => instance[Symbol.asyncDispose]()));
      await running.disposeAsync();
    },
  };
}

function createInstance(
  name: string,
  links: ReadonlyMap<string, FaultProxy>,
  o: SystemOptions & { readonly shippingLog: string },
): ServiceProcess {
  const service = serviceOf(name);
  return createServiceProcess({
    name,
    service,
    portVariable: services[service].portVariable,
    env: { ...environment(name, links, o), SHIPPING_LOG_FILE: o.shippingLog },
    preload: o.preload,
    logFile: join(o.directory, `${name}.log`),
  });
}

/** Points each proxy to the current ports of its target. */
function aim(
  links: ReadonlyMap<string, FaultProxy>,
  instances: readonly ServiceProcess[],
  { database, broker }: Infrastructure,
): void {
  for (const [name, proxy] of links) {
    const to = name.split("→")[1] ?? "";
    if (to === "database") proxy.setTargets([database.port]);
    else if (to === "broker") proxy.setTargets([broker.port]);
    else
      proxy.setTargets(
        instances.filter((instance) => serves(instance, to)).map(({ port }) => port),
      );
  }
}

/** The names of the instances that are not ready in time. */
async function lateOnes(
  instances: readonly ServiceProcess[],
  timeoutMs: number,
): Promise<string[]> {
  const late = instances.map((instance) =>
    waitFor(() => instance.isReady(), { timeoutMs, intervalMs: 100 }).then(
      () => [],
      () => [instance.name],
    ),
  );
  return (await Promise.all(late)).flat();
}

/** Waits until all are ready. No fault is injected yet: an instance that gives up is an error of the run. */
async function startTogether(all: readonly ServiceProcess[]): Promise<void> {
  const failed = new AbortController();
  const failure = (async () => {
    while (!failed.signal.aborted) {
      const instance = all.find(({ hasGivenUp }) => hasGivenUp);
      if (instance)
        throw new Error(`${instance.name} did not start; it wrote:\n${await instance.tail()}`);
      await delay(100);
    }
    return [];
  })();
  try {
    const late = await Promise.race([lateOnes(all, 120_000), failure]);
    if (late.length > 0) throw new Error(`not ready within two minutes: ${late.join(", ")}`);
  } finally {
    failed.abort();
    await failure.catch(() => {});
  }
}

/** Starts an instance again that has ended by itself, as Docker or systemd does. */
function startSupervisor(
  all: readonly ServiceProcess[],
  gaveUp: { instance: string; output: string }[],
  retarget: () => void,
): AsyncDisposable {
  return startTimer({
    name: "chaos.supervisor",
    intervalMs: 300,
    log: silentLogger,
    async run() {
      for (const instance of all.filter(({ hasGivenUp }) => hasGivenUp)) {
        gaveUp.push({ instance: instance.name, output: await instance.tail() });
        if (instance.hasGivenUp) await instance.start();
        retarget();
      }
    },
  });
}
