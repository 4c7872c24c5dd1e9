import type { IncomingMessage, Server } from "node:http";
import { createServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { onlyHttp1 } from "./only-http1.ts";
import { boundPipelines, endPipeline } from "./pipelines.ts";

/** Takes over a connection that asks for a WebSocket. */
export type OnUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What the HTTP/1.1 side of a port does with what it reads. */
export interface Http1Options {
  readonly onRequest: (req: IncomingMessage, res: ServerResponse) => void;
  /** Undefined: there are no WebSockets here. */
  readonly onUpgrade: OnUpgrade | undefined;
}

/** Longer than the idle time-out of common load balancers, so that they close first. */
const keepAliveTimeoutMs = 65_000;
/** Longest time from the first byte of a request to its last. */
const requestTimeoutMs = 30_000;
/** Requests of one connection that are worked on at once. */
const maxUnderWay = 16;
/** How long the rest of a request is read and discarded after an early answer, in milliseconds. */
const lingerMs = 2000;

/**
 * An HTTP/1.1 server that answers a client which has closed its side, ignores upgrades to anything but a WebSocket
 * (RFC 9110, 7.8), bounds what one connection may have under way, and closes after an answer that came too early.
 */
export function createHttp1Server(o: Http1Options): Server {
  const { onUpgrade } = o;
  const server = createServer(
    {
      noDelay: true,
      keepAlive: true,
      keepAliveTimeout: keepAliveTimeoutMs,
      requestTimeout: requestTimeoutMs,
      shouldUpgradeCallback: (req) => onUpgrade !== undefined && asksForWebSocket(req),
      ServerResponse: EarlyAnswer as typeof ServerResponse,
    },
    boundPipelines({ atOnce: maxUnderWay }, onlyHttp1(o.onRequest)),
  );
  // A client may close its side after the request; it still waits for the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  if (onUpgrade !== undefined) server.on("upgrade", onUpgrade);
  return server;
}

function asksForWebSocket({ method, headers, httpVersionMajor }: IncomingMessage): boolean {
  const protocols = headers.upgrade?.toLowerCase().split(",") ?? [];
  return (
    method === "GET" &&
    httpVersionMajor === 1 &&
    protocols.some((protocol) => protocol.trim() === "websocket")
  );
}

/**
 * An answer that precedes the end of its request is the last one on its connection (RFC 9112, 9.3): what is left of the
 * request would otherwise hold up the next one.
 */
class EarlyAnswer extends ServerResponse<IncomingMessage> {
  override writeHead(...args: [number]): this {
    if (!this.req.complete && hasBody(this.req)) {
      this.setHeader("connection", "close");
      lingerAfterwards(this.req);
    }
    return super.writeHead(...args);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/**
 * Node would close the connection with the answer, and the system would then reset it for what is still unread, which
 * can take the answer away from the client (RFC 9112, 9.6). Instead only our side is closed, and the rest is read.
 */
function lingerAfterwards(req: IncomingMessage): void {
  const { socket } = req;
  endPipeline(socket);
  socket.destroySoon = () => {
    socket.end();
    req.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  };
}
