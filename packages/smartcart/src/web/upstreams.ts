/** Opens requests to the services, over connections that are kept. */
import type { ClientRequest } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { TlsFiles } from "@smartcart/identity";
import { peerTlsOptions } from "@smartcart/identity";
import type { NodeRequest, NodeResponse } from "@smartcart/mesh";
import type { Logger, TrustedProxies } from "@smartcart/runtime";
import { headersTooLarge, sendProblem, upstreamUnavailable } from "./problems.ts";
import { forwardedHeaders, sizeOf } from "./proxy-headers.ts";
import type { RequestTarget } from "./request-target.ts";

export interface UpstreamOptions {
  readonly log: Logger;
  readonly trusted: TrustedProxies;
  /** By which the services are known where they speak TLS. Default: the system's authorities decide. */
  readonly tls?: TlsFiles | undefined;
}

export interface Destination {
  /** The name of the service: "status-hub". */
  readonly service: string;
  readonly upstream: URL;
  readonly target: RequestTarget;
}

export interface Upstreams extends Disposable {
  /**
   * The request to the service, with the client's headers and `extra`; its body is for the caller to write. Undefined where it was
   * refused. Then, and where the service is away, `response` says so.
   */
  open(
    request: NodeRequest,
    response: NodeResponse,
    to: Destination,
    extra?: Readonly<Record<string, string>>,
  ): ClientRequest | undefined;
}

/** What Node reads of a request's headers, less the request line. */
const maxForwardedHeaderBytes = 15 * 1024;

export function createUpstreams(o: UpstreamOptions): Upstreams {
  const http = new Agent({ keepAlive: true });
  let https = new HttpsAgent({ keepAlive: true });
  // With the certificates of before, connections are opened no more; the services close those that are idle.
  const stop = o.tls?.onRenewed(() => {
    https = new HttpsAgent({ keepAlive: true });
  });
  return {
    open(request, response, to, extra) {
      const outgoing = send(request, to, { ...extra }, { ...o, http, https });
      if (outgoing === undefined) {
        sendProblem(response, headersTooLarge);
        return undefined;
      }
      outgoing.on("error", (error) => {
        // The client left, or has its answer already.
        if (response.destroyed || response.writableEnded) return;
        const { upstream, target } = to;
        o.log.warn("web.upstream_failed", { path: target.path, upstream: upstream.origin, error });
        sendProblem(response, upstreamUnavailable);
      });
      response.once("close", () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      return outgoing;
    },
    [Symbol.dispose]() {
      stop?.();
      http.destroy();
      https.destroy();
    },
  };
}

/** Undefined where the headers are longer than what the service reads. */
function send(
  request: NodeRequest,
  { service, upstream, target }: Destination,
  extra: Readonly<Record<string, string>>,
  o: UpstreamOptions & { readonly http: Agent; readonly https: HttpsAgent },
): ClientRequest | undefined {
  const headers = forwardedHeaders(request, { host: target.host, trusted: o.trusted });
  if (sizeOf(headers) + target.pathAndQuery.length > maxForwardedHeaderBytes) return undefined;
  const isTls = upstream.protocol === "https:";
  return (isTls ? httpsRequest : httpRequest)({
    agent: isTls ? o.https : o.http,
    ...(isTls && o.tls && peerTlsOptions(o.tls.current(), service)),
    host: upstream.hostname.replace(/^\[|\]$/g, ""),
    port: upstream.port || (isTls ? 443 : 80),
    method: request.method,
    path: upstream.pathname.replace(/\/$/, "") + target.pathAndQuery,
    headers: { ...headers, ...extra, host: upstream.host },
  });
}
