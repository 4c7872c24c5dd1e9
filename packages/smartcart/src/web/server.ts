/** Serves the built page and, on the same origin, passes the browser's calls on to the services. */
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { createServer, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { TlsFiles } from "@smartcart/identity";
import type { NodeRequest, NodeResponse } from "@smartcart/mesh";
import {
  boundPipelines,
  clientOf,
  createProtocolMux,
  createRateLimits,
  demandTls,
  listenBacklog,
  onlyHttp1,
} from "@smartcart/mesh";
import type { Logger, TrustedProxies } from "@smartcart/runtime";
import {
  createHostCheck,
  createMetrics,
  loopbackProxies,
  StartError,
  serverUrl,
} from "@smartcart/runtime";
import type { Upstream } from "@smartcart/web/proxy-rules";
import { isWebSocketPath } from "@smartcart/web/proxy-rules";
import { answerBrokenRequest } from "./broken-request.ts";
import { startConnectSources } from "./connect-sources.ts";
import { createWebDrain } from "./drain.ts";
import { loadPage } from "./page-files.ts";
import { createProductPages } from "./product-pages.ts";
import { createProxy } from "./proxy.ts";
import { targetOf } from "./request-target.ts";
import { createRouter } from "./routes.ts";
import type { SignInOptions } from "./sign-in.ts";

interface WebServerOptions {
  readonly port: number;
  readonly host: string;
  /** The folder of the built page. */
  readonly page: string;
  /** Base URL of each service that the page calls. An undefined one is off, and the page says so. */
  readonly upstreams: Readonly<Record<Upstream, string | undefined>>;
  /** How visitors sign in. Default: they do not. */
  readonly signIn?: SignInOptions;
  /** Names that are answered to beside those of this machine: `ALLOWED_HOSTS`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Proxies in front of the page: `TRUSTED_PROXIES`. Default: those on this machine. */
  readonly trustedProxies?: TrustedProxies | undefined;
  /** With it the port speaks TLS only. Default: plain text. */
  readonly tls?: TlsFiles | undefined;
  /** By which services that speak TLS are known. Default: the system's authorities decide. */
  readonly partsTls?: TlsFiles | undefined;
  /** Requests per second from one client address; 0, the default: any number. */
  readonly rateLimitPerAddress?: number;
  readonly log: Logger;
}

/** Room for the cookies of every other server on the same name; the services never see them. */
const maxHeaderBytes = 64 * 1024;
const requestTimeoutMs = 30_000;
/** Streams of a connection of HTTP/2: each that is passed on takes a connection to a service. */
const maxStreams = 100;
/** Longer than the idle time-out of common load balancers, so that they close first. */
const keepAliveMs = 65_000;

/** The page's server. Disposing drains it: answers under way finish, within a bound. */
export interface RunningWebServer extends AsyncDisposable {
  readonly name: "web";
  /** Base URL of its own port. */
  readonly url: string;
}

export async function startWebServer(options: WebServerOptions): Promise<RunningWebServer> {
  const { log, upstreams } = options;
  const signIn = options.signIn ?? { signIn: { method: "none", isOpen: false } };
  await using started = new AsyncDisposableStack();
  const sources = started.use(startConnectSources(signIn.signIn.oidc?.issuer, log));
  const products = started.use(createProductPages(upstreams.inventory, log, options.partsTls));
  const trusted = options.trustedProxies ?? loopbackProxies;
  const metrics = createMetrics("web");
  const perAddress = options.rateLimitPerAddress ?? 0;
  const rateLimits = createRateLimits({ perAddress, perUser: 0, log, metrics });
  const route = createRouter({
    page: await loadPage(options.page),
    upstreams,
    isMyName: createHostCheck({ listenHost: options.host, allowedHosts: options.allowedHosts }),
    signIn,
    connectTo: sources.get,
    isMissing: products.isMissing,
    limit: (request) => rateLimits.refusalOfAddress(clientOf(request, trusted)),
    metrics,
    log,
  });
  const proxy = createProxy({ log, trusted, tls: options.partsTls });
  const answer = (request: NodeRequest, response: NodeResponse) => {
    drain.follow(response);
    if (options.tls !== undefined) demandTls(request, response);
    route(request, response, (to) => proxy.web(request, response, to));
  };
  const http1 = createHttp1Server(answer);
  http1.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const response = responseOn(socket, request);
    route(request, response, (to) => proxy.upgrade(request, response, { socket, head, to }));
  });
  const port = createProtocolMux({
    http1,
    onHttp2Request: (request, response) => answer(request, response),
    maxStreams: maxStreams,
    trustedProxies: trusted,
    tls: options.tls,
    log,
  });
  const drain = createWebDrain(port);
  await listen(http1, options);
  const { port: number } = http1.address() as AddressInfo;
  const running = started.move();
  return {
    name: "web",
    url: serverUrl(options.host, number, options.tls !== undefined),
    async [Symbol.asyncDispose]() {
      await drain.stop();
      proxy[Symbol.dispose]();
      await running.disposeAsync();
    },
  };
}

function createHttp1Server(answer: (request: NodeRequest, response: NodeResponse) => void): Server {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      noDelay: true,
      // `targetOf` requires one, and the answer says so.
      requireHostHeader: false,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      // Any other wish for an upgrade is ignored, and the request answered as it stands (RFC 9110, 7.8).
      shouldUpgradeCallback: isWebSocket,
    },
    // One at a time: what is passed on takes a connection to a service, and the answers go out in order anyway.
    boundPipelines({ atOnce: 1 }, onlyHttp1(answer)),
  );
  // A client that has closed its side after the request still gets its answer. Node has no option for it.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("clientError", answerBrokenRequest);
  return server;
}

function isWebSocket(request: IncomingMessage): boolean {
  const path = targetOf(request)?.path ?? "";
  const isWanted = /^websocket$/i.test(request.headers.upgrade ?? "");
  const canUpgrade = request.method === "GET" && request.httpVersionMajor === 1;
  return isWanted && canUpgrade && isWebSocketPath(path);
}

/** What answers a wish for an upgrade that is not granted; Node hands over the bare socket. */
function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  socket.on("error", () => socket.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once("finish", () => socket.destroySoon());
  return response;
}

async function listen(server: Server, { port, host, log }: WebServerOptions): Promise<void> {
  try {
    server.listen({ port, host, backlog: listenBacklog });
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    const message = `Port ${port} is in use. Set WEB_PORT.`;
    throw new StartError(message, { variable: "WEB_PORT", cause: error });
  }
  // No descriptor left for one more connection (EMFILE): those that are open go on.
  server.on("error", (error) => log.warn("web.accept_failed", { error }));
}
