import { createHostCheck, hostName } from "@smartcart/runtime";
import type { HttpProblem } from "../errors/problem.ts";
import { httpProblem } from "../errors/problem.ts";
import type { NodeRequest } from "./node-http.ts";

/** What decides which requests are looked at. */
export interface RequestGateOptions {
  /** The address that the server listens on. */
  readonly host: string;
  /** Names that are answered to as well: see `createHostCheck`. */
  readonly allowedHosts: readonly string[] | undefined;
  /** The name by which other services know this one, in its certificate. Default: it has none. */
  readonly ownName?: string | undefined;
}

/**
 * Brings the target of a request into the form that all else reads: a path in `url`, and a name in `Host` or `:authority`.
 * Answers the problem with which the request is refused, or undefined.
 */
export type RequestGate = (req: NodeRequest) => HttpProblem | undefined;

/** What probes of a balancer ask, which give the address as Host. Nothing is told there that another site may not know. */
export const probes: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
/** Where a request names no host, which only HTTP/1.0 may. */
const defaultHost = "localhost";
/** Hosts whose verdict is remembered; a client that sends more of them pays for the parsing of each. */
const maxVerdicts = 256;

/** A gate for a server on that address. */
export function createRequestGate(o: RequestGateOptions): RequestGate {
  const verdictOf = createVerdicts(o);
  return (req) => {
    const problem =
      req.httpVersionMajor === 1 ? normalizeHttp1(req) : normalizeHttp2(req, req.headers);
    if (problem !== undefined) return problem;
    const host = req.httpVersionMajor === 1 ? req.headers.host : req.headers[":authority"];
    const verdict = verdictOf(String(host));
    return verdict !== undefined && verdict.status === 421 && probes.has(req.url ?? "")
      ? undefined
      : verdict;
  };
}

/** The verdict on each Host. Nearly all requests of a server name the same one: it is parsed once. */
function createVerdicts(o: RequestGateOptions): (host: string) => HttpProblem | undefined {
  const isAllowed = createHostCheck({ listenHost: o.host, allowedHosts: o.allowedHosts });
  const verdicts = new Map<string, HttpProblem | undefined>();
  return (host) => {
    if (verdicts.has(host)) return verdicts.get(host);
    if (verdicts.size >= maxVerdicts) verdicts.clear();
    const isMeant = isAllowed(host) || (o.ownName !== undefined && hostName(host) === o.ownName);
    const verdict = isMeant ? undefined : refusalOf(host);
    verdicts.set(host, verdict);
    return verdict;
  };
}

function refusalOf(host: string): HttpProblem {
  const name = hostName(host);
  if (name === undefined) {
    return badRequest("BAD_HOST", "The Host of the request is not a name with an optional port.");
  }
  return httpProblem({
    status: 421,
    code: "HOST_NOT_ALLOWED",
    title: "This server does not answer to that name",
    detail: `The request names the host "${name}". Ask by a name of this server, or add the name to ALLOWED_HOSTS.`,
  });
}

/** RFC 9112, 3.2: one Host, and a target in origin-form, in absolute-form (whose authority wins), or "*" for OPTIONS. */
function normalizeHttp1(req: NodeRequest): HttpProblem | undefined {
  if (countHosts(req.rawHeaders) > 1) {
    return badRequest("TWO_HOSTS", "The request has more than one Host header. Send one.");
  }
  const target = req.url ?? "";
  if (!target.startsWith("/") && target !== "*") {
    const absolute = /^https?:\/\/([^/?#]+)([^#]*)$/i.exec(target);
    if (absolute === null) return badTarget;
    const [, authority = "", path = ""] = absolute;
    req.headers.host = authority;
    req.url = path.startsWith("/") ? path : `/${path}`;
  }
  req.headers.host ||= defaultHost;
  return undefined;
}

/** RFC 9113, 8.3.1: the path is in origin-form, and Host must not contradict `:authority`. */
function normalizeHttp2(
  req: NodeRequest,
  headers: NodeRequest["headers"],
): HttpProblem | undefined {
  if (!req.url?.startsWith("/") && req.url !== "*") return badTarget;
  const { host } = headers;
  const authority = headers[":authority"];
  if (authority === undefined) {
    headers[":authority"] = host || defaultHost;
  } else if (host !== undefined && host !== authority) {
    return badRequest("TWO_HOSTS", "Host and :authority name different hosts. Send one of them.");
  }
  return undefined;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === "host") count += 1;
  }
  return count;
}

function badRequest(code: string, detail: string): HttpProblem {
  return httpProblem({ status: 400, code, title: "The request is malformed", detail });
}

const badTarget = badRequest(
  "BAD_TARGET",
  "The request target is neither a path that begins with / nor an absolute http URL.",
);
