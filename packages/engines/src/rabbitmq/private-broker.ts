import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "@smartcart/runtime";
import { StartError } from "@smartcart/runtime";
import { makeDirectory } from "../files.ts";
import { chooseOsUser, findAccessProblem } from "../os-user.ts";
import { freePorts, isListening } from "../ports.ts";
import { worksIn } from "../process-identity.ts";
import type { Launch, Recipe } from "../supervisor.ts";
import { makeServerDirectory, startServer } from "../supervisor.ts";
import type { RabbitmqPorts } from "./configuration.ts";
import { environment, writeConfiguration } from "./configuration.ts";
import type { Installation } from "./installation.ts";
import { findRabbitmq } from "./installation.ts";

const execute = promisify(execFile);

/** What the private RabbitMQ node is started with. */
export interface PrivateBrokerOptions {
  /**
   * Its folder: data, configuration, logs, cookie. Made if need be; a second start finds the data
   * again.
   */
  readonly directory: string;
  readonly log: Logger;
}

/** A running RabbitMQ of our own. Disposing stops the node and its port mapper. */
export interface PrivateBroker extends AsyncDisposable {
  /** `amqp://guest:guest@127.0.0.1:<port>` */
  readonly amqpUrl: string;
  /** HTTP API and dashboard: `http://guest:guest@127.0.0.1:<port>` */
  readonly managementUrl: string;
  /** Process id of the node. */
  readonly pid: number;
  /** Runs `rabbitmqctl` on it and returns what it printed. */
  ctl(...args: string[]): Promise<string>;
}

interface RabbitmqLaunch extends Launch {
  readonly ports: RabbitmqPorts;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts an installed `rabbitmq-server` as a node that shares nothing with others on this machine:
 * own folder, free ports, own port mapper, reachable from this machine only. It ends with the
 * process that started it, however that ends. Throws a StartError where RabbitMQ is not installed
 * or does not start, or another process uses the folder.
 */
export async function startPrivateBroker(o: PrivateBrokerOptions): Promise<PrivateBroker> {
  const installation = await findRabbitmq();
  if (installation === undefined) {
    throw new StartError(
      "rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)",
    );
  }
  const recipe = await createRecipe(o.directory, installation);
  const server = await startServer(recipe, o.log);
  const { ports, env } = server.launch;
  return {
    amqpUrl: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
    managementUrl: `http://guest:guest@127.0.0.1:${ports.management}`,
    pid: server.pid,
    async ctl(...args) {
      const options = { env, cwd: o.directory, ...recipe.osUser };
      return (await execute(installation.ctl, args, options)).stdout;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The port mapper ignores the signal that stops the node: it ends with the shell above both, after the node. */
const nodeScript = `
trap '' TERM
"$1" -port "$ERL_EPMD_PORT" -address 127.0.0.1 &
trap - TERM
exec "$2"
`;

async function createRecipe(
  directory: string,
  { server, epmd }: Installation,
): Promise<Recipe<RabbitmqLaunch>> {
  const subject = `the folder ${directory}`;
  const preferred = await chooseOsUser(directory, ["rabbitmq"]);
  await makeServerDirectory({ directory, subject, osUser: preferred });
  // Unlike PostgreSQL it also runs as root, where no other user can reach the folder.
  const problem = preferred && (await findAccessProblem(directory, preferred));
  const osUser = problem === undefined ? preferred : undefined;
  return {
    name: "rabbitmq-server",
    event: "broker",
    directory,
    subject,
    osUser,
    stopSignals: ["SIGTERM", "SIGKILL"],
    readyTimeoutMs: 60_000,
    async findServer() {
      const pid = Number(await readFile(join(directory, "pid"), "utf8").catch(() => ""));
      return pid > 0 && (await worksIn(pid, directory)) ? pid : undefined;
    },
    async prepare() {
      await makeDirectory(join(directory, "home"), osUser);
      return async () => {
        const ports = await choosePorts();
        const env = environment(directory, ports);
        await writeConfiguration(directory, ports);
        return {
          ports,
          env,
          command: ["/bin/sh", "-c", nodeScript, "rabbitmq", epmd, server],
          isReady: () => isListening(ports.amqp),
        };
      };
    },
    mayPass: (log) => /eaddrinuse|address already in use|port_in_use/i.test(log),
    reasonIn: (log) => log.trim().split("\n").slice(-15).join("\n"),
  };
}

async function choosePorts(): Promise<RabbitmqPorts> {
  const [amqp = 0, management = 0, distribution = 0, epmd = 0] = await freePorts(4);
  return { amqp, management, distribution, epmd };
}
