/** The HTTP API of the broker's management. */
import type { BrokerEngine } from "./infrastructure.ts";

interface ConnectionInfo {
  readonly name: string;
  readonly vhost: string;
  readonly client_properties?: { readonly connection_name?: string };
}

/** Closes the connections whose name begins so, from the broker's side; returns how many. */
export async function closeConnections(broker: BrokerEngine, namePrefix: string): Promise<number> {
  const all = await ask<ConnectionInfo[]>(broker, "/api/connections");
  const theirs = all.filter(
    ({ vhost, client_properties: properties }) =>
      vhost === vhostOf(broker) && properties?.connection_name?.startsWith(namePrefix),
  );
  for (const { name } of theirs) {
    await ask(broker, `/api/connections/${encodeURIComponent(name)}`, { method: "DELETE" });
  }
  return theirs.length;
}

/** The ids of the messages in a queue, which stay there; "" for one without. */
export async function messageIds(broker: BrokerEngine, queue: string): Promise<string[]> {
  const found = await ask<{ properties: { message_id?: string } }[]>(
    broker,
    `/api/queues/${encodeURIComponent(vhostOf(broker))}/${queue}/get`,
    {
      method: "POST",
      body: JSON.stringify({
        count: 10_000,
        ackmode: "ack_requeue_true",
        encoding: "base64",
        truncate: 1,
      }),
    },
  );
  return found.map(({ properties }) => properties.message_id ?? "");
}

export function vhostOf({ url }: BrokerEngine): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || "/";
}

export async function queueNames(broker: BrokerEngine): Promise<string[]> {
  const path = `/api/queues/${encodeURIComponent(vhostOf(broker))}?columns=name`;
  return (await ask<{ name: string }[]>(broker, path)).map(({ name }) => name);
}

async function ask<T>(broker: BrokerEngine, path: string, init: RequestInit = {}): Promise<T> {
  const { username, password, origin } = new URL(broker.managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const response = await fetch(`${origin}${path}`, {
    ...init,
    headers: { authorization, "content-type": "application/json" },
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok && response.status !== 404) {
    throw new Error(
      `${init.method ?? "GET"} ${path} of the broker answered ${response.status}: ${text}`,
    );
  }
  return (response.ok && text !== "" ? JSON.parse(text) : []) as T;
}
