/** Server streams over WebSockets, for browsers: see `stream_frames.proto`. */
import type { IncomingMessage } from "node:http";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { WebSocket } from "ws";
import { WebSocketServer } from "ws";
import type { Logger, TrustedProxies } from "@smartcart/runtime";
import type { HttpProblem } from "../errors/problem.ts";
import { httpProblem, problemOfError } from "../errors/problem.ts";
import { isAllowedOrigin } from "../http/allowed-origin.ts";
import { clientOf } from "../http/client-of.ts";
import type { OnUpgrade } from "../http/http1-server.ts";
import { rejectUpgradeWith } from "../http/send-problem.ts";
import type { RateLimits } from "../limits/rate-limit.ts";
import type { Method } from "./stream-calls.ts";
import { createStreamCalls } from "./stream-calls.ts";

/** What the sockets serve, and their limits. */
export interface StreamSocketOptions {
  readonly path: string;
  /** Of these, the server streams can be opened. */
  readonly methods: Iterable<DescMethod>;
  /** Calls them, through all interceptors. */
  readonly transport: Transport;
  readonly allowedHosts: readonly string[];
  readonly trustedProxies: TrustedProxies;
  /** Count upgrades and frames by the address of the client. */
  readonly rateLimits: RateLimits;
  /** Ends every stream and closes every socket. */
  readonly shutdown: AbortSignal;
  readonly log: Logger;
}

/** A call with the longest token, and some room. */
const maxFrameBytes = 40 * 1024;
const maxSockets = 1_000;
/** A socket that answers no ping for so long is closed. */
const pingEveryMs = 30_000;
const goingAway = 1001;
const invalidFrame = 1007;
/** How long a client may take to answer a close. */
const closeTimeoutMs = 1_000;
/** Headers of the upgrade that are passed to each call: they identify the caller and its address. */
const passedHeaders = ["authorization", "host", "x-forwarded-for", "x-forwarded-host"] as const;

/** Handles upgrades of `path` for up to 1,000 sockets, with frames of at most 40 KiB. Sockets end with `shutdown`. */
export function createStreamSockets(o: StreamSocketOptions): OnUpgrade {
  const methods = methodsOf(o.methods);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
  });

  function accept(socket: WebSocket, request: IncomingMessage): void {
    const calls = createStreamCalls({
      methods,
      transport: o.transport,
      headers: headersOf(request),
      address: clientOf(request, o.trustedProxies),
      rateLimits: o.rateLimits,
      send: (bytes) => sent(socket, bytes),
    });
    // Set before the first frame can come.
    socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary || !calls.receive(data))
        closeWith(socket, invalidFrame, "invalid or too many frames");
    });
    socket.on("error", (error) => o.log.debug("stream.socket_failed", { error }));
    const stopPinging = keepAlive(socket);
    const onShutdown = () => closeWith(socket, goingAway, "the server is shutting down");
    o.shutdown.addEventListener("abort", onShutdown, { once: true });
    socket.once("close", () => {
      stopPinging();
      o.shutdown.removeEventListener("abort", onShutdown);
      calls[Symbol.dispose]();
    });
  }

  return (request, socket, head) => {
    const refusal = refusalOf(request, server.clients.size, o);
    if (refusal !== undefined) return rejectUpgradeWith(socket, refusal);
    // A client that hangs up in the handshake is no error.
    socket.on("error", () => socket.destroy());
    server.handleUpgrade(request, socket, head, (accepted) => accept(accepted, request));
  };
}

/** By the name that a frame gives: "smartcart.ops.v1.OpsService/WatchMesh". */
function methodsOf(methods: Iterable<DescMethod>): ReadonlyMap<string, Method> {
  const byName = new Map<string, Method>();
  for (const method of methods) {
    if (isStream(method)) byName.set(`${method.parent.typeName}/${method.name}`, method);
  }
  return byName;
}

function isStream(method: DescMethod): method is Method {
  return method.methodKind === "server_streaming";
}

function refusalOf(
  request: IncomingMessage,
  open: number,
  o: StreamSocketOptions,
): HttpProblem | undefined {
  const { path, shutdown } = o;
  const title = "The WebSocket was refused";
  if (URL.parse(request.url ?? "/", "http://server")?.pathname !== path) {
    const detail = `The WebSocket is at ${path}.`;
    return httpProblem({ status: 404, code: "NOT_FOUND", title, detail });
  }
  if (!isAllowedOrigin(request, { ...o, allowedOrigins: [] })) {
    const detail = `Pages of ${request.headers.origin} may not connect. Open the page by a name of this server, or add the name to ALLOWED_HOSTS.`;
    return httpProblem({ status: 403, code: "ORIGIN_NOT_ALLOWED", title, detail });
  }
  const limited = o.rateLimits.refusalOfAddress(clientOf(request, o.trustedProxies));
  if (limited !== undefined) return problemOfError(limited);
  if (open < maxSockets && !shutdown.aborted) return undefined;
  const detail = "The server has no room for another connection now. Connect again later.";
  return httpProblem({ status: 503, code: "TOO_MANY_CONNECTIONS", title, detail });
}

function headersOf({ headers }: IncomingMessage): Headers {
  const passed = new Headers();
  for (const name of passedHeaders) {
    const value = headers[name];
    if (value !== undefined) passed.set(name, String(value));
  }
  return passed;
}

/** Resolves when the bytes have left this process, so that a slow client holds up its stream and not the memory. */
function sent(socket: WebSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function closeWith(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  const cutOff = setTimeout(() => socket.terminate(), closeTimeoutMs);
  socket.once("close", () => clearTimeout(cutOff));
}

/** Terminates a socket whose client does not answer pings. Returns the function that stops them. */
function keepAlive(socket: WebSocket): () => void {
  let isSilent = false;
  socket.on("pong", () => {
    isSilent = false;
  });
  const timer = setInterval(() => {
    if (isSilent) return socket.terminate();
    isSilent = true;
    socket.ping();
  }, pingEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
