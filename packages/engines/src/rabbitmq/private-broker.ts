import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "@smartcart/runtime";
import { delay, StartError } from "@smartcart/runtime";
import type { Installation, Owner } from "./rabbitmq-installation.ts";
import { chooseOwner, findRabbitmq, runAs } from "./rabbitmq-installation.ts";

/** What a private broker is made of. */
export interface PrivateBrokerOptions {
  /**
   * Its folder: data, configuration, logs, cookie. Made if need be; a second start finds the data
   * again.
   */
  readonly directory: string;
  readonly log: Logger;
  /** AMQP port; default: any free one. */
  readonly port?: number;
  /** Longest time to become ready; default 60,000. */
  readonly timeoutMs?: number;
}

/** A running RabbitMQ of our own. Disposing it stops the node and its port mapper. */
export interface PrivateBroker extends AsyncDisposable {
  /** `amqp://guest:guest@127.0.0.1:<port>` */
  readonly amqpUrl: string;
  /** HTTP API and dashboard: `http://guest:guest@127.0.0.1:<port>` */
  readonly managementUrl: string;
  /** Runs `rabbitmqctl` on it and answers what it printed. */
  ctl(...args: string[]): Promise<string>;
}

/** What the guard process is told; see broker-guard.ts. */
export interface GuardOrder {
  readonly directory: string;
  readonly server: string;
  readonly epmd: string;
  readonly epmdPort: number;
  readonly env: Readonly<Record<string, string>>;
  readonly owner: Owner | undefined;
}

/**
 * Starts an installed `rabbitmq-server` as a node that shares nothing with others on this machine:
 * own folder, free ports, own port mapper, reachable from this machine only. It ends with the
 * process that started it, however that ends. Throws a StartError where RabbitMQ is not installed
 * or does not start.
 */
export async function startPrivateBroker(o: PrivateBrokerOptions): Promise<PrivateBroker> {
  const installation = await findRabbitmq();
  if (installation === undefined) {
    throw new StartError(
      "rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)",
    );
  }
  await mkdir(join(o.directory, "home"), { recursive: true, mode: 0o755 });
  const owner = await chooseOwner(o.directory);
  const [free = 0, management = 0, distribution = 0, epmdPort = 0] = await freePorts(4);
  const port = o.port ?? free;
  await writeConfiguration(o.directory, { port, management });
  const env = environment(o.directory, { distribution, epmdPort });
  const order = { ...installation, directory: o.directory, epmdPort, env, owner };
  const guard = startGuard(order);
  try {
    await waitUntilReady(guard, port, o);
  } catch (error) {
    await stopGuard(guard);
    throw error;
  }
  o.log.info("broker.started", { directory: o.directory, port });
  return {
    amqpUrl: `amqp://guest:guest@127.0.0.1:${port}`,
    managementUrl: `http://guest:guest@127.0.0.1:${management}`,
    ctl: (...args) => runAs(installation.ctl, args, { env, owner }),
    async [Symbol.asyncDispose]() {
      await stopGuard(guard);
      o.log.info("broker.stopped", { directory: o.directory });
    },
  };
}

async function writeConfiguration(
  directory: string,
  ports: { port: number; management: number },
): Promise<void> {
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${ports.port}`,
    "management.tcp.ip = 127.0.0.1",
    `management.tcp.port = ${ports.management}`,
    "disk_free_limit.absolute = 50MB",
    "log.file.level = warning",
  ];
  await writeFile(join(directory, "rabbitmq.conf"), `${lines.join("\n")}\n`);
  await writeFile(join(directory, "enabled_plugins"), "[rabbitmq_management].\n");
}

function environment(
  directory: string,
  ports: { distribution: number; epmdPort: number },
): Record<string, string> {
  return {
    // biome-ignore lint/style/noProcessEnv: where programs are is no configuration of ours
    PATH: `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    // The cookie lies in the home folder.
    HOME: join(directory, "home"),
    // The name can be the same for all private nodes: each has a port mapper of its own.
    RABBITMQ_NODENAME: "smartcart@localhost",
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_MNESIA_BASE: join(directory, "mnesia"),
    RABBITMQ_LOG_BASE: join(directory, "log"),
    RABBITMQ_CONFIG_FILE: join(directory, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "enabled_plugins"),
    RABBITMQ_PID_FILE: join(directory, "pid"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    // Without busy waiting an idle node costs next to no CPU.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
  };
}

function startGuard(order: GuardOrder & Installation): ChildProcess {
  const script = fileURLToPath(new URL("./broker-guard.ts", import.meta.url));
  return spawn(process.execPath, [script, JSON.stringify(order)], {
    // Its own session: a Ctrl-C at the terminal is for us, and we may need the broker to drain.
    detached: true,
    // The pipe is the life line: it closes when this process ends, however that happens.
    stdio: ["pipe", "ignore", "inherit"],
    cwd: "/",
  });
}

async function stopGuard(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return;
  const exited = once(guard, "exit");
  guard.stdin?.end();
  await exited;
}

async function waitUntilReady(
  guard: ChildProcess,
  port: number,
  o: PrivateBrokerOptions,
): Promise<void> {
  const deadlineMs = performance.now() + (o.timeoutMs ?? 60_000);
  while (!(await isOpen(port))) {
    if (guard.exitCode !== null || guard.signalCode !== null || performance.now() > deadlineMs) {
      const output = await readFile(join(o.directory, "output.log"), "utf8").catch(() => "");
      const last = output.trim().split("\n").slice(-15).join("\n");
      throw new StartError(`rabbitmq-server in ${o.directory} did not start:\n${last}`);
    }
    await delay(100);
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePorts(count: number): Promise<number[]> {
  // All at once, so that they differ.
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
