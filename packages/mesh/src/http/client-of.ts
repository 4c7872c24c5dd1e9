import type { TrustedProxies } from "@smartcart/runtime";
import { clientAddress } from "@smartcart/runtime";
import type { NodeRequest } from "./node-http.ts";

/** By connection, of what no proxy passed on: most connections carry many requests. */
const known = new WeakMap<object, string>();

/** The client that a request comes from, under the name by which it is counted: see `clientAddress`. */
export function clientOf(req: NodeRequest, trusted: TrustedProxies): string {
  const forwardedFor = req.headers["x-forwarded-for"];
  if (forwardedFor !== undefined) {
    return clientAddress(req.socket.remoteAddress ?? "", forwardedFor, trusted);
  }
  const connection = "stream" in req ? req.stream.session : req.socket;
  const cached = connection && known.get(connection);
  if (cached !== undefined) return cached;
  const address = clientAddress(req.socket.remoteAddress ?? "", undefined, trusted);
  if (connection) known.set(connection, address);
  return address;
}
