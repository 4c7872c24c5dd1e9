/** A virtual host per installation on a RabbitMQ that others use too, so that no installation receives the messages of another one. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

interface VirtualHostOptions {
  /** The state folder: its installation has the virtual host. */
  readonly stateDirectory: string;
  /** Begin with an empty one. */
  readonly fresh: boolean;
  /** The broker as its user reaches it, without a virtual host: `amqp://guest:guest@localhost:5672`. */
  readonly brokerUrl: string;
  /** Its management API. */
  readonly managementUrl: string;
}

const run = promisify(execFile);

/**
 * The AMQP URL of the installation's own virtual host, which is made where it does not exist: by the management API, else by `rabbitmqctl`.
 * Rejects where neither can.
 */
export async function ownVirtualHost(o: VirtualHostOptions): Promise<string> {
  const name = `smartcart-${await installationId(o.stateDirectory)}`;
  const { username } = new URL(o.brokerUrl);
  try {
    await createByApi(o, name, username);
  } catch (byApi) {
    await createByCtl(o, name, username).catch((byCtl: unknown) => {
      const reasons = [byApi, byCtl].map((error) => (error as Error).message.split("\n")[0]);
      throw new Error(`cannot make a virtual host: ${reasons.join("; ")}`);
    });
  }
  return `${o.brokerUrl}/${name}`;
}

/** Made at the first use, and kept in the state folder. */
async function installationId(stateDirectory: string): Promise<string> {
  const file = join(stateDirectory, "installation-id");
  await mkdir(stateDirectory, { recursive: true });
  const id = randomBytes(4).toString("hex");
  // Of two first starts at once, both read what the first one wrote.
  await writeFile(file, id, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  return (await readFile(file, "utf8")).trim();
}

async function createByApi(o: VirtualHostOptions, name: string, user: string): Promise<void> {
  const { username, password, origin } = new URL(o.managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${origin}/api/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    });
    const isMissing = method === "DELETE" && response.status === 404;
    if (!response.ok && !isMissing)
      throw new Error(`the management API answers ${response.status}`);
  };
  if (o.fresh) await call("DELETE", `vhosts/${name}`);
  await call("PUT", `vhosts/${name}`, { description: `SmartCart in ${o.stateDirectory}` });
  const all = { configure: ".*", write: ".*", read: ".*" };
  await call("PUT", `permissions/${name}/${user}`, all);
}

async function createByCtl(o: VirtualHostOptions, name: string, user: string): Promise<void> {
  // Debian's command in /usr/sbin becomes the user of the system's node, where root calls it.
  const options = { env: { PATH: "/usr/sbin:/usr/local/sbin:/usr/bin:/bin:/opt/homebrew/sbin" } };
  const ctl = (...args: string[]) => run("rabbitmqctl", args, { ...options, timeout: 20_000 });
  const existing = (await ctl("-q", "list_vhosts", "name")).stdout.split("\n");
  const exists = existing.includes(name);
  if (exists && o.fresh) await ctl("delete_vhost", name);
  if (!exists || o.fresh) await ctl("add_vhost", name);
  await ctl("set_permissions", "-p", name, user, ".*", ".*", ".*");
}
