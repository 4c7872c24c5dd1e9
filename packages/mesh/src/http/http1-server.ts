import type { IncomingMessage, RequestListener, Server } from "node:http";
import { createServer, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

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
/** Requests of one connection that are worked on at once; more of them, pipelined, wait. */
const maxUnderWay = 16;
/** Pipelined requests that wait; a client that sends more unasked loses the connection. */
const maxWaiting = 4096;
/** Time in which what follows an early answer is read and thrown away. */
const lingerMs = 2000;

/** The requests of one connection. */
interface Pipeline {
  underWay: number;
  /** The last answer is given; what still comes is not looked at. */
  closing: boolean;
  readonly waiting: (() => void)[];
}

const pipelines = new WeakMap<Socket, Pipeline>();

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
    enqueue(o.onRequest),
  );
  // What is half closed after its request waits for the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  if (onUpgrade !== undefined) server.on("upgrade", onUpgrade);
  return server;
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  const protocols = headers.upgrade?.toLowerCase().split(",") ?? [];
  return method === "GET" && protocols.some((protocol) => protocol.trim() === "websocket");
}

function enqueue(onRequest: Http1Options["onRequest"]): RequestListener {
  return (req, res) => {
    const { socket } = req;
    const pipeline = pipelineOf(socket);
    if (pipeline.closing) return;
    if (pipeline.underWay < maxUnderWay) {
      begin(pipeline, req, res, onRequest);
      return;
    }
    pipeline.waiting.push(() => begin(pipeline, req, res, onRequest));
    if (pipeline.waiting.length > maxWaiting) socket.destroy();
    else socket.pause();
  };
}

function begin(
  pipeline: Pipeline,
  req: IncomingMessage,
  res: ServerResponse,
  onRequest: Http1Options["onRequest"],
): void {
  pipeline.underWay += 1;
  res.once("close", onAnswered);
  onRequest(req, res);
}

function onAnswered(this: ServerResponse): void {
  const { socket } = this.req;
  const pipeline = pipelineOf(socket);
  pipeline.underWay -= 1;
  if (pipeline.waiting.length === 0 || socket.destroyed) return;
  pipeline.waiting.shift()?.();
  if (pipeline.waiting.length === 0) socket.resume();
}

function pipelineOf(socket: Socket): Pipeline {
  let pipeline = pipelines.get(socket);
  if (pipeline === undefined) {
    pipeline = { underWay: 0, closing: false, waiting: [] };
    pipelines.set(socket, pipeline);
  }
  return pipeline;
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
  pipelineOf(socket).closing = true;
  socket.destroySoon = () => {
    socket.end();
    req.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  };
}
