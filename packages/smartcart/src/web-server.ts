/** Serves the built page and, on the same origin, passes the browser's calls on to the parts. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createProxyServer, proxyUpgrade } from "httpxy";
import sirv from "sirv";
import type { Logger, Part, Registry } from "@smartcart/runtime";
import { createMetrics, StartError } from "@smartcart/runtime";
import type { Upstream } from "@smartcart/web/proxy-rules";
import { contentSecurityPolicy, upstreamFor } from "@smartcart/web/proxy-rules";
import { createWebDrain } from "./web-drain.ts";

export interface WebServerOptions {
  readonly port: number;
  readonly host: string;
  /** The folder of the built page. */
  readonly page: string;
  /** Base URL of each part that the page calls. */
  readonly upstreams: Readonly<Record<Upstream, string>>;
  readonly log: Logger;
}

const HEADERS = {
  "content-security-policy": contentSecurityPolicy,
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

export async function startWebServer(options: WebServerOptions): Promise<Part> {
  const { upstreams, log } = options;
  const metrics = createMetrics("web");
  const proxy = createProxyServer({ xfwd: true });
  const page = sirv(options.page, {
    single: true,
    etag: true,
    gzip: true,
    setHeaders: pageHeaders,
  });
  const upstreamOf = (request: IncomingMessage): string | undefined => {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    const upstream = upstreamFor({ path, accept: request.headers.accept ?? "" });
    return upstream && upstreams[upstream];
  };

  const server = createServer((request, response) => {
    if (answerOperations(request, response, metrics)) return;
    const target = upstreamOf(request);
    if (target !== undefined) {
      proxy.web(request, response, { target }).catch((error: unknown) => {
        log.warn("web.upstream-failed", { url: request.url, target, error });
        badGateway(response);
      });
      return;
    }
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    page(request, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const target = upstreamOf(request);
    if (target === undefined) return socket.destroy();
    proxyUpgrade(target, request, socket, head, { xfwd: true }).catch((error: unknown) => {
      log.warn("web.upstream-failed", { url: request.url, target, error });
      socket.destroy();
    });
  });

  const drain = createWebDrain(server);
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    name: "web",
    url: `http://${options.host === "0.0.0.0" ? "127.0.0.1" : options.host}:${port}`,
    [Symbol.asyncDispose]: drain,
  };
}

/** The page needs nothing but its files, so it is ready while it lives; the parts behind it answer for themselves. */
function answerOperations(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Registry,
): boolean {
  switch (request.url) {
    case "/healthz":
    case "/readyz":
      response.writeHead(200, { "content-type": "application/json" }).end('{"status":"ok"}');
      return true;
    case "/metrics":
      metrics.metrics().then(
        (text) => response.writeHead(200, { "content-type": metrics.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
      return true;
    default:
      return false;
  }
}

function pageHeaders(response: ServerResponse, path: string): void {
  // `/orders` is a page for a browser and a resource for everybody else.
  response.setHeader("vary", "accept, accept-encoding");
  // Vite puts a hash of the content into the names below /assets.
  const hashed = path.startsWith("/assets/");
  response.setHeader("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
}

function badGateway(response: ServerResponse): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(503, { "content-type": "application/problem+json", "retry-after": "1" });
  response.end(
    JSON.stringify({
      type: "urn:smartcart:problem:upstream-unavailable",
      title: "A part of the shop cannot be reached",
      status: 503,
      detail:
        "Nothing is lost. Send the same request again, with the same Idempotency-Key, in a second.",
      code: "UPSTREAM_UNAVAILABLE",
    }),
  );
}

function listen(server: Server, { port, host }: WebServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") return reject(error);
      const message = `WEB_PORT: port ${port} is taken on ${host}; end what listens there or set WEB_PORT to another port`;
      reject(new StartError(message, { variable: "WEB_PORT", cause: error }));
    });
    server.listen(port, host, resolve);
  });
}
