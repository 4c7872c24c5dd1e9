import type { Socket } from "node:net";
import type { TrustedProxies } from "@smartcart/runtime";
import { isLoopback, networkOf } from "@smartcart/runtime";
import { createRateLimit } from "./rate-limit.ts";

/** Open connections of one client. */
const maxConnections = 1000;
/** New connections of one client a second. */
const newConnectionsPerSecond = 200;

/**
 * Whether a connection is let in: a client (see `networkOf`) may have so many, and so many new ones a second. Proxies that
 * speak for many clients are not counted, and neither is this machine.
 */
export function createConnectionLimit(trustedProxies: TrustedProxies): (socket: Socket) => boolean {
  const rate = createRateLimit(newConnectionsPerSecond);
  const open = new Map<string, number>();
  return (socket) => {
    const address = socket.remoteAddress ?? "";
    if (isLoopback(address) || trustedProxies.has(address)) return true;
    const client = networkOf(address);
    const count = open.get(client) ?? 0;
    if (count >= maxConnections || rate(client) > 0) return false;
    open.set(client, count + 1);
    socket.once("close", () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left === 0) open.delete(client);
      else open.set(client, left);
    });
    return true;
  };
}
