/** `--rabbitmq`: a virtual host of our own on the RabbitMQ that runs here, else an installed one as a private node, else one in Docker. */
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeUrl } from "@smartcart/bus";
import { isListening, lockDirectory, startPrivateBroker } from "@smartcart/engines";
import type { Logger } from "@smartcart/runtime";
import { delay, StartError } from "@smartcart/runtime";
import { ownVirtualHost } from "./own-virtual-host.ts";

interface FoundBroker extends AsyncDisposable {
  readonly amqpUrl: string;
  /** For people: which one it is, with its address. */
  readonly description: string;
}

interface FindOptions {
  readonly amqpUrl: string | undefined;
  readonly stateDirectory: string;
  /** Begin with empty queues, where the broker is not that of AMQP_URL. */
  readonly fresh: boolean;
  /** The RabbitMQ that is looked for. Default: on the usual ports of this machine. */
  readonly local?: LocalBroker;
  readonly log: Logger;
}

interface LocalBroker {
  readonly port: number;
  readonly managementUrl: string;
}

const usualBroker: LocalBroker = {
  port: 5672,
  managementUrl: "http://guest:guest@localhost:15672",
};
const container = "smartcart-rabbitmq";
const run = promisify(execFile);

/**
 * Uses AMQP_URL as it is, and tries the other ways one after the other. Disposing stops what was started here and leaves a found broker
 * running. @throws StartError that tells why each way failed
 */
export async function findRabbitMq(options: FindOptions): Promise<FoundBroker> {
  const { amqpUrl, stateDirectory, fresh, local = usualBroker, log } = options;
  if (amqpUrl !== undefined) return found(amqpUrl);
  const { port, managementUrl } = local;
  const brokerUrl = `amqp://guest:guest@localhost:${port}`;
  const joinRunning = async () => {
    if (!(await isListening(port))) throw new Error(`nothing listens on port ${port}`);
    return found(await ownVirtualHost({ stateDirectory, fresh, brokerUrl, managementUrl }));
  };
  const startPrivate = async () => {
    const directory = join(stateDirectory, "rabbitmq");
    if (fresh) await removeBroker(directory);
    const broker = await startPrivateBroker({ directory, log });
    return found(broker.amqpUrl, ", a private node", async () => broker[Symbol.asyncDispose]());
  };
  const ways = [
    [`the server on port ${port}`, joinRunning],
    ["the installed rabbitmq-server", startPrivate],
    ["Docker", () => startInDocker(brokerUrl)],
  ] as const;
  const failures: string[] = [];
  for (const [name, way] of ways) {
    try {
      return await way();
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message.trim()}`);
    }
  }
  throw new StartError(
    `no RabbitMQ found (${failures.join("; ")}). Install rabbitmq-server, or set AMQP_URL to a virtual host of its own, or leave out --rabbitmq`,
    { variable: "AMQP_URL" },
  );
}

/** Deletes a private node's data. Rejects while another process uses it. */
async function removeBroker(directory: string): Promise<void> {
  const lock = await lockDirectory(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (lock === undefined) return;
  await using _lock = lock;
  await rm(directory, { recursive: true, force: true });
}

function found(
  amqpUrl: string,
  remark = "",
  dispose: () => Promise<void> = async () => {},
): FoundBroker {
  return {
    amqpUrl,
    description: `${describeUrl(amqpUrl)}${remark}`,
    [Symbol.asyncDispose]: dispose,
  };
}

async function startInDocker(amqpUrl: string): Promise<FoundBroker> {
  const ports = ["-p", "127.0.0.1:5672:5672", "-p", "127.0.0.1:15672:15672"];
  const args = ["run", "--rm", "-d", "--name", container, ...ports, "rabbitmq:4-management"];
  await run("docker", args);
  const stop = async () => {
    await run("docker", ["stop", container]);
  };
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const ready = await run("docker", [
      "exec",
      container,
      "rabbitmq-diagnostics",
      "-q",
      "ping",
    ]).then(
      () => true,
      () => false,
    );
    if (ready) return found(amqpUrl, ", a container with its dashboard on port 15672", stop);
    await delay(1_000);
  }
  await stop();
  throw new Error("the RabbitMQ container did not become ready within one minute");
}
