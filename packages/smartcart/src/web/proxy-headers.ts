import type { NodeRequest } from "@smartcart/mesh";
import type { TrustedProxies } from "@smartcart/runtime";

type HeaderLists = Record<string, string[]>;

/** Of one connection only (RFC 9110, 7.6.1), beside those that `Connection` names. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Every header that is meant for the other end, in the order in which it came, those that came twice included. */
export function endToEnd({ rawHeaders, headers }: NodeRequest): HeaderLists {
  const ofConnection = new Set(
    String(headers.connection ?? "")
      .split(",")
      .map((name) => name.trim().toLowerCase()),
  );
  const passed: HeaderLists = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    // What HTTP/2 has instead of a request line.
    if (name.startsWith(":")) continue;
    if (hopByHop.has(name) || ofConnection.has(name)) continue;
    passed[name] = [
      ...(Object.hasOwn(passed, name) ? (passed[name] ?? []) : []),
      rawHeaders[i + 1] ?? "",
    ];
  }
  return passed;
}

interface ForwardOptions {
  /** The host that the client named. */
  readonly host: string | undefined;
  /** Proxies in front of this one, whose `X-Forwarded-*` headers are used. */
  readonly trusted: TrustedProxies;
}

/**
 * The headers of a request as a service gets them, but for `Host`: that is the service's own, since it may answer to no other, and
 * what the client named is in `X-Forwarded-Host`. Cookies stay here: no service reads one, and on localhost they are those of every other
 * port's pages, often more than a service would take.
 */
export function forwardedHeaders(request: NodeRequest, o: ForwardOptions): HeaderLists {
  const { cookie: _cookie, expect: _expect, host: _ownHost, ...passed } = endToEnd(request);
  const peer = (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
  const told = (name: string, own: string | undefined): HeaderLists => {
    const known = o.trusted.has(peer) ? passed[name] : undefined;
    return known ? { [name]: known } : own === undefined ? {} : { [name]: [own] };
  };
  const { "x-forwarded-proto": _proto, "x-forwarded-host": _host, ...others } = passed;
  // No service calls another one through the page.
  const { "smartcart-caller": _caller, ...rest } = others;
  return {
    ...rest,
    "x-forwarded-for": [[...(passed["x-forwarded-for"] ?? []), peer].join(", ")],
    ...told("x-forwarded-proto", isSecure(request) ? "https" : "http"),
    ...told("x-forwarded-host", o.host),
    // The body is framed anew; without this, that of a GET or DELETE would have no frame at all.
    ...(hasUnmeasuredBody(request) && { "transfer-encoding": ["chunked"] }),
  };
}

/** About as many bytes as these take on the wire. */
export function sizeOf(headers: HeaderLists): number {
  let bytes = 0;
  for (const [name, values] of Object.entries(headers)) {
    for (const value of values) bytes += name.length + value.length + 4;
  }
  return bytes;
}

function isSecure({ socket }: NodeRequest): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

/** Whether a body of unknown length follows. HTTP/2 needs no header for it. */
function hasUnmeasuredBody(request: NodeRequest): boolean {
  const { headers } = request;
  if (!("stream" in request)) return headers["transfer-encoding"] !== undefined;
  return headers["content-length"] === undefined && !request.stream.endAfterHeaders;
}
