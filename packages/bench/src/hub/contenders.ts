/** The hubs that are measured, each with a queue, a stand-in for the order service, and clients. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePorts } from "@smartcart/testkit";
import type { Engines } from "../engines.ts";
import type { RunningProcess } from "../processes.ts";
import { startProcess } from "../processes.ts";

export type HubContenderName = "rabbitmq" | "postgres" | "socket.io";

export const hubContenders: Readonly<Record<HubContenderName, string>> = {
  rabbitmq: "SmartCart's status hub, fed through RabbitMQ",
  postgres: "SmartCart's status hub, fed through the queue in PostgreSQL",
  "socket.io":
    "a socket.io server with one socket.io room per user, fed by amqplib from the same RabbitMQ",
};

/** A hub that serves. */
export interface HubContender extends AsyncDisposable {
  /** The hub's process as it is now. */
  readonly hub: RunningProcess;
  readonly orders: RunningProcess;
  /** Each has its part of the sockets. */
  readonly clients: readonly RunningProcess[];
  /** Kills the hub and starts another one on the same port. */
  restartHub(): Promise<void>;
}

export interface StartHubOptions {
  readonly engines: Engines;
  readonly directory: string;
  readonly sockets: number;
  /** Write a CPU profile of each hub when it ends. */
  readonly profile: boolean;
}

const clientProcesses = 2;

export async function startHubContender(
  name: HubContenderName,
  o: StartHubOptions,
): Promise<HubContender> {
  await mkdir(o.directory, { recursive: true });
  await using started = new AsyncDisposableStack();
  const env = await environment(name, o);
  const start = (process: string, script: string, more: Record<string, string> = {}) =>
    started.use(
      startProcess({
        name: process,
        args: [`packages/bench/src/hub/${script}.ts`],
        env: { ...env, ...more },
        logFile: join(o.directory, `${process}.log`),
        takesCommands: true,
      }),
    );
  const orders = start("orders", "orders");
  await orders.answers(`http://127.0.0.1:${env.ORDER_PORT}/readyz`);
  let hub = await startHub(name, env, o);
  started.defer(() => hub[Symbol.asyncDispose]());
  const share = Math.ceil(o.sockets / clientProcesses);
  const clients = Array.from({ length: clientProcesses }, (_, index) => {
    const from = Math.min(o.sockets, index * share);
    const count = Math.min(share, o.sockets - from);
    const part = { BENCH_FIRST_USER: String(from), BENCH_COUNT: String(count) };
    return start(`clients-${index}`, "clients", part);
  });
  const running = started.move();
  return {
    get hub() {
      return hub;
    },
    orders,
    clients,
    async restartHub() {
      // A profile is written at an orderly end only.
      if (o.profile) await hub[Symbol.asyncDispose]();
      else await hub.kill();
      hub = await startHub(name, env, o);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function environment(
  name: HubContenderName,
  { engines, sockets }: StartHubOptions,
): Promise<Record<string, string>> {
  const [order = 0, hub = 0] = await freePorts(2);
  const queue =
    name === "postgres"
      ? { DATABASE_URL: await engines.createDatabase("hub") }
      : {
          AMQP_URL: await engines.createVirtualHost("hub"),
          // Not needed with RabbitMQ; without it the hub would start a database.
          DATABASE_URL: "postgres://127.0.0.1/unused",
        };
  return {
    ...queue,
    ORDER_PORT: String(order),
    ORDER_URL: `http://127.0.0.1:${order}`,
    STATUS_PORT: String(hub),
    STATUS_MAX_CONNECTIONS: String(sockets + 1_000),
    STATUS_MAX_CONNECTIONS_PER_ADDRESS: String(sockets + 1_000),
    NODE_ENV: "production",
    BENCH_URL: `http://127.0.0.1:${hub}`,
    BENCH_USERS: String(sockets),
    BENCH_FEED: name === "socket.io" ? "json" : "bus",
    BENCH_SOCKETS: name === "socket.io" ? "socket.io" : "ws",
  };
}

let hubs = 0;

async function startHub(
  name: HubContenderName,
  env: Readonly<Record<string, string>>,
  o: StartHubOptions,
): Promise<RunningProcess> {
  const script =
    name === "socket.io"
      ? "packages/bench/src/peers/socket-io.ts"
      : "packages/status-hub/src/main.ts";
  hubs += 1;
  const profile = [
    "--cpu-prof",
    `--cpu-prof-dir=${o.directory}`,
    `--cpu-prof-name=${name}-${hubs}.cpuprofile`,
  ];
  const hub = startProcess({
    name: "hub",
    args: [...(o.profile ? profile : []), script],
    env,
    logFile: join(o.directory, "hub.log"),
  });
  await hub.answers(`${env.BENCH_URL}/readyz`);
  return hub;
}
