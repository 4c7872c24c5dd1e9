/** What a request to the page's port asks for: its path, and the host that it names (RFC 9112, 3.2). */
import type { NodeRequest } from "@smartcart/mesh";

/** Nothing in it is decoded or normalised: a service gets the bytes that the client sent. */
export interface RequestTarget {
  /** The path without its query: "/orders/ORD-1". Begins with a slash, or is "*" (OPTIONS). */
  readonly path: string;
  /** Path and query as they came, to be passed on. */
  readonly pathAndQuery: string;
  /** The host that is meant, with its port; undefined where none is given (HTTP/1.0). */
  readonly host: string | undefined;
}

/** Never throws: undefined where the target or the `Host` is malformed. `new URL` would throw for "//". */
export function targetOf(request: NodeRequest): RequestTarget | undefined {
  const { url = "/", httpVersion } = request;
  const hosts = hostsOf(request);
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion === "1.1")) return undefined;
  // A proxy's form. The host in it counts, and a Host header beside it does not.
  const absolute = /^https?:\/\/([^/?#]+)([^#]*)$/i.exec(url);
  const pathAndQuery = absolute === null ? url : (absolute[2] ?? "").replace(/^(?!\/)/, "/");
  if (!/^(?:\/[^#]*|\*)$/.test(pathAndQuery)) return undefined;
  return {
    path: pathAndQuery.split("?", 1)[0] ?? "",
    pathAndQuery,
    host: absolute?.[1] ?? hosts[0],
  };
}

/** All that are named; HTTP/2 has the authority instead, which Host must not contradict (RFC 9113, 8.3.1). */
function hostsOf(request: NodeRequest): string[] {
  if ("headersDistinct" in request) return request.headersDistinct.host ?? [];
  const { headers } = request;
  const { host } = headers;
  const named = [headers[":authority"] as string | undefined, host].filter(
    (one) => one !== undefined,
  );
  return [...new Set(named)];
}
