import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { promisify } from "node:util";
import { findRabbitmq } from "@smartcart/engines";
import { borrow } from "./test-server/borrow.ts";
import { addVirtualHost, deleteVirtualHost } from "./virtual-host.ts";

const execute = promisify(execFile);

/** An empty virtual host for one test. Disposing deletes it and its connections. */
export interface TestBroker extends AsyncDisposable {
  /** `amqp://user:password@host:port/vhost` */
  readonly amqpUrl: string;
  readonly vhost: string;
  /** HTTP API with user and password. */
  readonly managementUrl: string;
}

/**
 * Whether `createTestBroker` can work here, for `describe.skipIf`. In CI it must: there it is
 * installed where it is missing (on Debian as root), and a failure is thrown.
 */
export async function canTestRabbitmq(): Promise<boolean> {
  if (process.env.AMQP_URL || (await findRabbitmq())) return true;
  if (!process.env.CI) return false;
  await install();
  return true;
}

/**
 * A new virtual host of its own: on the broker of AMQP_URL where that is set (its management API is
 * expected at RABBITMQ_MANAGEMENT_URL, by default port 15672 of the same host), else on a private
 * RabbitMQ that all test processes of this user share, which is started by the first one and stops
 * by itself.
 */
export async function createTestBroker(): Promise<TestBroker> {
  const amqpUrl = process.env.AMQP_URL;
  if (amqpUrl) return createOn(amqpUrl);
  if (!(await canTestRabbitmq()))
    throw new Error("rabbitmq-server is not installed, nor is AMQP_URL set");
  return await borrow<Omit<TestBroker, keyof AsyncDisposable>>("virtual-hosts");
}

async function createOn(amqpUrl: string): Promise<TestBroker> {
  const { username, password, hostname } = new URL(amqpUrl);
  const managementUrl =
    process.env.RABBITMQ_MANAGEMENT_URL ?? `http://${username}:${password}@${hostname}:15672`;
  const added = await addVirtualHost({ amqpUrl, managementUrl });
  return {
    ...added,
    managementUrl,
    [Symbol.asyncDispose]: () => deleteVirtualHost(managementUrl, added.vhost),
  };
}

async function install(): Promise<void> {
  await access("/usr/bin/apt-get");
  // In run level 1 the package does not start the system's own node.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await execute("apt-get", ["update", "-q"], { env });
  await execute("apt-get", ["install", "-y", "-q", "--no-install-recommends", "rabbitmq-server"], {
    env,
  });
}
