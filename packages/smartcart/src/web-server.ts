/** Serves the built page and, on the same origin, passes the browser's calls on to the parts. */
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { createServer, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { boundPipelines, createConnectionLimit } from "@smartcart/mesh";
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
import { answerBrokenRequest } from "./web-broken-request.ts";
import { startConnectSources } from "./web-connect-sources.ts";
import { createWebDrain } from "./web-drain.ts";
import { loadPage } from "./web-files.ts";
import { createProxy } from "./web-proxy.ts";
import { createRouter } from "./web-routes.ts";
import type { SignInOptions } from "./web-sign-in.ts";
import { targetOf } from "./web-target.ts";

export interface WebServerOptions {
  readonly port: number;
  readonly host: string;
  /** The folder of the built page. */
  readonly page: string;
  /** Base URL of each part that the page calls. An undefined one is off, and the page says so. */
  readonly upstreams: Readonly<Record<Upstream, string | undefined>>;
  /** How visitors sign in. Default: they do not. */
  readonly signIn?: SignInOptions;
  /** Names that are answered to beside those of this machine: `ALLOWED_HOSTS`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Proxies in front of the page: `TRUSTED_PROXIES`. Default: those on this machine. */
  readonly trustedProxies?: TrustedProxies | undefined;
  readonly log: Logger;
}

/** Room for the cookies of every other server on the same name; the parts never see them. */
const MAX_HEADER_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time-out of common load balancers, so that they close first. */
const KEEP_ALIVE_MS = 65_000;

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
  const route = createRouter({
    page: await loadPage(options.page),
    upstreams,
    isMyName: createHostCheck({ listenHost: options.host, allowedHosts: options.allowedHosts }),
    signIn,
    connectTo: sources.get,
    metrics: createMetrics("web"),
    log,
  });
  const trusted = options.trustedProxies ?? loopbackProxies;
  const proxy = createProxy({ log, trusted });
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
      // `targetOf` requires one, and the answer says so.
      requireHostHeader: false,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Any other wish for an upgrade is ignored, and the request answered as it stands (RFC 9110, 7.8).
      shouldUpgradeCallback: isWebSocket,
    },
    // One at a time: what is passed on takes a connection to a part, and the answers go out in order anyway.
    boundPipelines({ atOnce: 1 }, (request, response) =>
      route(request, response, (to) => proxy.web(request, response, to)),
    ),
  );
  // A client that has closed its side after the request still gets its answer. Node has no option for it.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const response = responseOn(socket, request);
    route(request, response, (to) => proxy.upgrade(request, response, { socket, head, to }));
  });
  server.on("clientError", answerBrokenRequest);
  // To the parts all of its clients are one, which is not counted.
  const admit = createConnectionLimit(trusted);
  server.on("connection", (socket: Socket) => {
    if (!admit(socket)) socket.destroy();
  });

  const drain = createWebDrain(server);
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const running = started.move();
  return {
    name: "web",
    url: serverUrl(options.host, port),
    async [Symbol.asyncDispose]() {
      await drain();
      proxy[Symbol.dispose]();
      await running.disposeAsync();
    },
  };
}

function isWebSocket(request: IncomingMessage): boolean {
  const path = targetOf(request)?.path ?? "";
  const isWanted = /^websocket$/i.test(request.headers.upgrade ?? "");
  return isWanted && request.method === "GET" && isWebSocketPath(path);
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
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    const message = `Port ${port} is in use. Set WEB_PORT.`;
    throw new StartError(message, { variable: "WEB_PORT", cause: error });
  }
  // No descriptor left for one more connection (EMFILE): those that are open go on.
  server.on("error", (error) => log.warn("web.accept_failed", { error }));
}
