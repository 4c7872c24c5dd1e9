/** The whole of SmartCart as processes, with a fault proxy on every link. */
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
import { linkNames, serves, serviceNames, serviceOf, services } from "./system-topology.ts";

export interface System extends AsyncDisposable {
  readonly parts: ReadonlyMap<string, ServiceProcess>;
  readonly links: ReadonlyMap<string, FaultProxy>;
  readonly infrastructure: Infrastructure;
  /** The REST interface, through a proxy. */
  readonly orderUrl: string;
  /** The RPCs of inventory, through a proxy. Of no use where it does not run on its own. */
  readonly inventoryUrl: string;
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

export interface SystemOptions extends EnvironmentOptions {
  readonly replicas: Replicas;
  /** Modules to load into every part: the mutants. */
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
  const parts = new Map<string, ServiceProcess>();
  for (const name of serviceNames(o.replicas)) {
    parts.set(name, started.use(createPart(name, links, { ...o, shippingLog })));
  }
  const all = [...parts.values()];
  const retarget = () => aim(links, all, o.infrastructure);
  const ready = (timeoutMs: number) => lateOnes(all, timeoutMs);
  await Promise.all(all.map((part) => part.start()));
  retarget();
  await startTogether(all);
  const gaveUp: { part: string; output: string }[] = [];
  started.use(startSupervisor(all, gaveUp, retarget));

  const running = started.move();
  const url = (link: string) => `127.0.0.1:${links.get(link)?.port}`;
  return {
    parts,
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
      await Promise.all(all.map((part) => part[Symbol.asyncDispose]()));
      await running.disposeAsync();
    },
  };
}

function createPart(
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

/** Tells the proxies where what they lead to is now. */
function aim(
  links: ReadonlyMap<string, FaultProxy>,
  parts: readonly ServiceProcess[],
  { database, broker }: Infrastructure,
): void {
  for (const [name, proxy] of links) {
    const to = name.split("→")[1] ?? "";
    if (to === "database") proxy.setTargets([database.port]);
    else if (to === "broker") proxy.setTargets([broker.port]);
    else proxy.setTargets(parts.filter((part) => serves(part, to)).map(({ port }) => port));
  }
}

/** The names of the parts that are not ready in time. */
async function lateOnes(parts: readonly ServiceProcess[], timeoutMs: number): Promise<string[]> {
  const late = parts.map((part) =>
    waitFor(() => part.isReady(), { timeoutMs, intervalMs: 100 }).then(
      () => [],
      () => [part.name],
    ),
  );
  return (await Promise.all(late)).flat();
}

/** The first start: a part that gives up here is a mistake of ours, not of the weather. */
async function startTogether(all: readonly ServiceProcess[]): Promise<void> {
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
    const late = await Promise.race([lateOnes(all, 120_000), failure]);
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
