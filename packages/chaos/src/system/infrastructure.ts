/** A private PostgreSQL and RabbitMQ that can be killed, stopped and started again on the same data. */
import { join } from "node:path";
import type { EmbeddedPostgres, PrivateBroker } from "@smartcart/engines";
import { startEmbeddedPostgres, startPrivateBroker } from "@smartcart/engines";
import { silentLogger } from "@smartcart/runtime";
import { processTree } from "@smartcart/testkit";

/** One of the two. Its port may be another one after a restart. */
export interface Engine extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The ids of its processes. */
  pids(): Promise<readonly number[]>;
  /** SIGKILL, all of its processes. */
  kill(): Promise<void>;
  /** Starts it again on its data after a kill; resolves when it takes connections. */
  restart(): Promise<void>;
  /** SIGSTOP. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
}

/** The broker, with what its administrator can do. */
export interface BrokerEngine extends Engine {
  /** Runs `rabbitmqctl`. */
  ctl(...args: string[]): Promise<string>;
  /** HTTP API, with user and password. */
  readonly managementUrl: string;
}

/** Read `url` and `port` at each use: they change with a restart. */
export interface Infrastructure extends AsyncDisposable {
  readonly database: Engine;
  readonly broker: BrokerEngine;
}

/** Starts both below `directory`, with the durability that production has. */
export async function startInfrastructure(directory: string): Promise<Infrastructure> {
  await using started = new AsyncDisposableStack();
  const [database, broker] = await Promise.allSettled([
    startDatabase(directory),
    startBroker(join(directory, "broker")),
  ]);
  if (database.status === "fulfilled") started.use(database.value);
  if (broker.status === "fulfilled") started.use(broker.value);
  if (database.status === "rejected") throw database.reason;
  if (broker.status === "rejected") throw broker.reason;
  const running = started.move();
  return {
    database: database.value,
    broker: broker.value,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startDatabase(stateDirectory: string): Promise<Engine> {
  const start = (): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      stateDirectory,
      log: silentLogger,
      durable: true,
      maxConnections: 240,
    });
  let server = await start();
  const pids = async () => (await processTree(server.pid)).map(({ pid }) => pid);
  const signal = async (name: NodeJS.Signals) => {
    for (const pid of await pids()) send(pid, name);
  };
  return {
    get url() {
      return server.url;
    },
    get port() {
      return Number(new URL(server.url).port);
    },
    pids,
    kill: () => signal("SIGKILL"),
    async restart() {
      await server[Symbol.asyncDispose]();
      server = await start();
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async [Symbol.asyncDispose]() {
      // A process stopped by SIGSTOP does not handle SIGTERM.
      await signal("SIGCONT");
      await server[Symbol.asyncDispose]();
    },
  };
}

async function startBroker(directory: string): Promise<BrokerEngine> {
  const start = (): Promise<PrivateBroker> => startPrivateBroker({ directory, log: silentLogger });
  let broker = await start();
  const signal = async (name: NodeJS.Signals) => send(broker.pid, name);
  return {
    get url() {
      return broker.amqpUrl;
    },
    get port() {
      return Number(new URL(broker.amqpUrl).port);
    },
    pids: async () => [broker.pid],
    get managementUrl() {
      return broker.managementUrl;
    },
    ctl: (...args) => broker.ctl(...args),
    kill: () => signal("SIGKILL"),
    async restart() {
      await broker[Symbol.asyncDispose]();
      broker = await start();
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await signal("SIGCONT");
      await broker[Symbol.asyncDispose]();
    },
  };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
