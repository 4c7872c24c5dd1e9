import type { Socket } from "node:net";
import type { TrustedProxies } from "@smartcart/runtime";
import { createHolders, createTokenBuckets, isLoopback, networkOf } from "@smartcart/runtime";

/** Open connections of one client. */
const maxConnections = 1000;
/** New connections of one client a second. */
const newConnectionsPerSecond = 200;

/**
 * Whether a connection is let in: a client (see `networkOf`) may have so many, and so many new ones a second. Proxies that
 * speak for many clients are not counted, and neither is this machine.
 */
export function createConnectionLimit(trustedProxies: TrustedProxies): (socket: Socket) => boolean {
  const perSecond = newConnectionsPerSecond;
  const rate = createTokenBuckets({ capacity: perSecond, refillPerSecond: perSecond });
  const open = createHolders();
  return (socket) => {
    const address = socket.remoteAddress ?? "";
    if (isLoopback(address) || trustedProxies.has(address)) return true;
    const client = networkOf(address);
    if (open.of(client) >= maxConnections || rate.take(client) > 0) return false;
    socket.once("close", open.add(client));
    return true;
  };
}
