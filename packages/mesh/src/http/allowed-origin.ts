import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { TrustedProxies } from "@smartcart/runtime";
import { createHostCheck, hostName, isLocalName, isLoopback } from "@smartcart/runtime";

/** The origins whose pages may open a WebSocket. */
export interface AllowedOrigins {
  /** Origins whose pages may connect, or "*" among them for any. Empty: see `isAllowedOrigin`. */
  readonly allowedOrigins: readonly string[];
  /** Names that this server answers to beside those of this machine: `ALLOWED_HOSTS`. */
  readonly allowedHosts: readonly string[];
  /** Their `X-Forwarded-Host` is what the browser connected to. */
  readonly trustedProxies: TrustedProxies;
}

/**
 * Whether a page of that origin may connect: browsers apply no same-origin rule to WebSockets (RFC 6455, 10.2), so the server
 * must. A client that sends no Origin is no browser. Without a list of origins, the page must come from the host that is
 * connected to; and where that is a loopback address, its name must be an allowed one, or one that no foreign DNS can point
 * here.
 */
export function isAllowedOrigin(
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  o: AllowedOrigins,
): boolean {
  const { origin } = headers;
  if (origin === undefined) return true;
  if (o.allowedOrigins.length > 0) {
    return o.allowedOrigins.includes("*") || o.allowedOrigins.includes(origin);
  }
  const page = hostName(URL.parse(origin)?.host ?? "");
  // Behind the page's proxy, `Host` is the server's own, and this is what the browser connected to; no page can set it.
  const forwarded = o.trustedProxies.has(socket.remoteAddress ?? "") && headers["x-forwarded-host"];
  const host = hostName(String(forwarded || headers.host || ""));
  if (page === undefined || host === undefined) return false;
  const listenHost = socket.localAddress ?? "";
  if (page !== host) return isLoopback(listenHost) && isLocalName(page);
  return isIP(page) !== 0 || createHostCheck({ listenHost, allowedHosts: o.allowedHosts })(host);
}
