import { randomBytes } from "node:crypto";

/** Makes a new, empty virtual host by the management API and returns its AMQP URL. */
export async function addVirtualHost(o: { amqpUrl: string; managementUrl: string }) {
  const vhost = `test-${randomBytes(6).toString("hex")}`;
  await request(o.managementUrl, "PUT", `/api/vhosts/${vhost}`);
  const url = new URL(o.amqpUrl);
  url.pathname = `/${vhost}`;
  return { vhost, amqpUrl: url.href };
}

/** Deletes a virtual host with all that is in it; clients still connected are cut off. */
export async function deleteVirtualHost(managementUrl: string, vhost: string): Promise<void> {
  await request(managementUrl, "DELETE", `/api/vhosts/${vhost}`);
}

/** Calls the management API; rejects unless it answers with success. */
async function request(managementUrl: string, method: string, path: string): Promise<unknown> {
  const { username, password, origin } = new URL(managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const response = await fetch(`${origin}${path}`, { method, headers: { authorization } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${origin}${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
