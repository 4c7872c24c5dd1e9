/** One run of one hub: start, connect, orders, the last status, then a new hub to which all sockets come at once. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cpuMsOf, isRunning, processTree } from "@smartcart/testkit";
import type { RunningProcess } from "../processes.ts";
import type { ClientReport, ConnectResult } from "./clients.ts";
import { tell } from "./commands.ts";
import type { HubContender, HubContenderName, StartHubOptions } from "./contenders.ts";
import { startHubContender } from "./contenders.ts";
import type { PublishResult } from "./orders.ts";
import type { HubMeasurement } from "./result.ts";
import { toMeasurement } from "./result.ts";

interface MeasureHubOptions extends StartHubOptions {
  readonly rate: number;
  readonly seconds: number;
}

/** Sockets that each process of clients opens at once before the orders come. */
const politeAtOnce = 50;
const connectTimeoutMs = 180_000;
/** How long the memory of a process is left alone before it is read. */
const settleMs = 5_000;
/** A status counts as lost when none has arrived for so long. */
const patienceMs = 5_000;

export async function measureHub(
  name: HubContenderName,
  o: MeasureHubOptions,
): Promise<HubMeasurement> {
  await using running = await startHubContender(name, {
    ...o,
    directory: join(o.directory, `hub-${name}`),
  });
  const { sockets } = o;
  const withoutSockets = await residentBytes(running.hub);
  const polite = { orders: sockets, atOnce: politeAtOnce, timeoutMs: connectTimeoutMs };
  const connected = await tellAll<ConnectResult>(running, "connect", polite);
  const open = connected.reduce((sum, part) => sum + part.caughtUpMs.length, 0);
  if (open < sockets) throw new Error(`only ${open} of ${sockets} sockets could be opened`);
  const whenConnected = await residentBytes(running.hub);
  const live = await measureOrders(running, o);
  const afterOrders = await residentBytes(running.hub);

  await tellAll(running, "release");
  await running.restartHub();
  const crowd = {
    orders: sockets + o.rate * o.seconds,
    atOnce: sockets,
    timeoutMs: connectTimeoutMs,
  };
  const reconnected = await tellAll<ConnectResult>(running, "connect", crowd);
  return toMeasurement({
    contender: name,
    sockets,
    ...live,
    processors: availableParallelism(),
    residentBytes: { withoutSockets, connected: whenConnected, afterOrders },
    reconnected,
    survived: await isRunning(running.hub.pid),
  });
}

/** Orders come, and their statuses arrive. */
async function measureOrders(running: HubContender, o: MeasureHubOptions) {
  const { hub, orders, clients } = running;
  const cpuOfClients = () => cpuMsOf(clients.map(({ pid }) => pid));
  await tellAll(running, "listen");
  const before = { hub: await cpuMsOf([hub.pid]), clients: await cpuOfClients() };
  const startedAtMs = performance.now();
  const { rate, seconds } = o;
  const published = await tell<PublishResult>(orders, "publish", { rate, seconds });
  await untilDelivered(running, published.statuses);
  return {
    published,
    elapsedMs: performance.now() - startedAtMs,
    hubCpuMs: (await cpuMsOf([hub.pid])) - before.hub,
    clientsCpuMs: (await cpuOfClients()) - before.clients,
    clients: await tellAll<ClientReport>(running, "report"),
  };
}

async function untilDelivered(running: HubContender, statuses: number): Promise<void> {
  let delivered = -1;
  let progressAtMs = performance.now();
  while (delivered < statuses && performance.now() - progressAtMs < patienceMs) {
    const counts = await tellAll<number>(running, "count");
    const sum = counts.reduce((so, count) => so + count, 0);
    if (sum > delivered) progressAtMs = performance.now();
    delivered = sum;
    await delay(50);
  }
}

async function tellAll<T>(
  { clients }: HubContender,
  command: string,
  argument: unknown = {},
): Promise<T[]> {
  return await Promise.all(clients.map((client) => tell<T>(client, command, argument)));
}

async function residentBytes({ pid }: RunningProcess): Promise<number> {
  await delay(settleMs);
  const [info] = await processTree(pid);
  return info?.residentBytes ?? Number.NaN;
}
