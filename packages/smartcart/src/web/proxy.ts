/** Passes requests and WebSockets of the page's origin on to the services. */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { constants, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { NodeRequest, NodeResponse } from "@smartcart/mesh";
import { securityHeaders } from "@smartcart/runtime";
import { maxBodyBytesFor } from "@smartcart/web/proxy-rules";
import { isStream } from "./drain.ts";
import { bodyTooLarge, internalProblem, sendProblem } from "./problems.ts";
import { endToEnd } from "./proxy-headers.ts";
import type { Destination, UpstreamOptions, Upstreams } from "./upstreams.ts";
import { createUpstreams } from "./upstreams.ts";
import { writeHead } from "./write-head.ts";

interface Proxy extends Disposable {
  /** Answers with what the service answers. */
  web(request: NodeRequest, response: NodeResponse, to: Destination): void;
  /** Joins the socket with the service's, where the service agrees to the upgrade; else answers with what the service answers. */
  upgrade(request: NodeRequest, response: ServerResponse, upgrade: UpgradeTo): void;
}

interface UpgradeTo {
  readonly socket: Socket;
  /** What was read beyond the headers. */
  readonly head: Buffer;
  readonly to: Destination;
}

/** What a client may still send after an answer that came before the end of its request. */
const maxDiscardedBytes = 4 * 1024 * 1024;
/** Streams bodies both ways without holding them. Disposing closes the connections to the services. */
export function createProxy(o: UpstreamOptions): Proxy {
  const upstreams = createUpstreams(o);
  return {
    web: (request, response, to) => passRequest(request, response, to, upstreams),
    upgrade: (request, response, upgrade) => passUpgrade(request, response, upgrade, upstreams),
    [Symbol.dispose]: () => upstreams[Symbol.dispose](),
  };
}

function passRequest(
  request: NodeRequest,
  response: NodeResponse,
  to: Destination,
  { open }: Upstreams,
): void {
  const maxBytes = maxBodyBytesFor(to.target.path);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) {
    sendProblem(response, bodyTooLarge(maxBytes));
    discardRest(request);
    return;
  }
  const outgoing = open(request, response, to);
  if (outgoing === undefined) {
    discardRest(request);
    return;
  }
  passBody(request, response, outgoing, maxBytes);
  outgoing.once("response", (answer) => {
    endAtHalfClose(request, response, answer);
    passAnswer(answer, response);
    if (request.complete) return;
    // Answered before the request's end, so the rest is discarded.
    request.unpipe(outgoing);
    discardRest(request);
    answer.once("end", () => outgoing.destroy());
  });
}

function passUpgrade(
  request: NodeRequest,
  response: ServerResponse,
  { socket, head, to }: UpgradeTo,
  { open }: Upstreams,
): void {
  const extra = { connection: "Upgrade", upgrade: "websocket" };
  const outgoing = open(request, response, to, extra);
  outgoing?.once("response", (answer) => passAnswer(answer, response));
  outgoing?.once("upgrade", (answer, peer, peerHead) => {
    response.detachSocket(socket);
    join({ socket, head }, { socket: peer as Socket, head: peerHead }, answer);
  });
  outgoing?.end();
}

function passBody(
  request: NodeRequest,
  response: NodeResponse,
  outgoing: ClientRequest,
  maxBytes: number,
): void {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes || outgoing.destroyed) return;
    request.unpipe(outgoing);
    outgoing.destroy();
    sendProblem(response, bodyTooLarge(maxBytes));
    discardRest(request);
  });
  // It broke off: the service must not take what came of it for all of it.
  request.on("error", () => outgoing.destroy());
  request.pipe(outgoing);
}

/**
 * Reads what is left of a request that has its answer, so that the next one on the connection is found, and within bounds: a
 * connection that was cut off could take the answer with it.
 */
function discardRest(request: NodeRequest): void {
  // A stream of HTTP/2 holds up no other, and is ended by the port.
  if (request.httpVersionMajor > 1) return;
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxDiscardedBytes) request.socket.destroy();
  });
  request.on("error", () => request.socket.destroy());
  request.resume();
}

function passAnswer(answer: IncomingMessage, response: NodeResponse): void {
  // Cut off on its way: so must be the client's, or it would take half an answer for a whole one.
  answer.on("error", () => cutOff(response));
  const headers = { ...securityHeaders, ...endToEnd(answer) };
  const status = answer.statusCode ?? 502;
  try {
    writeHead(response, status, headers, answer.statusMessage);
  } catch {
    // What Node reads of an answer, it does not always write.
    answer.destroy();
    sendProblem(response, internalProblem);
    return;
  }
  // In HTTP/2 `writeHead` has sent them.
  if (!(response instanceof Http2ServerResponse)) response.flushHeaders();
  answer.pipe(response);
}

/** The error says that it was not the end: a stream of HTTP/2 is closed, on HTTP/1.1 the connection. */
function cutOff(response: NodeResponse): void {
  if (response instanceof Http2ServerResponse)
    response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/**
 * A client may close its side after its request and wait for the answer (RFC 9112, 9.6). An answer without an end is another
 * matter: such a client cannot be told from one that is gone, and no browser does so.
 */
function endAtHalfClose(
  { socket, httpVersionMajor }: NodeRequest,
  response: NodeResponse,
  answer: IncomingMessage,
): void {
  if (httpVersionMajor > 1) return;
  if (!isStream(answer.headers["content-type"])) return;
  const leave = () => void response.destroy();
  if (socket.readableEnded) leave();
  socket.once("end", leave);
  response.once("close", () => socket.off("end", leave));
}

type End = Pick<UpgradeTo, "socket" | "head">;

/** Joins both ends of a WebSocket: what comes out of one goes into the other, and they end together. */
function join(client: End, peer: End, answer: IncomingMessage): void {
  const lines = Object.entries(endToEnd(answer)).flatMap(([name, values]) =>
    values.map((value) => `${name}: ${value}`),
  );
  const head = ["HTTP/1.1 101 Switching Protocols", "connection: Upgrade", "upgrade: websocket"];
  client.socket.write(`${[...head, ...lines].join("\r\n")}\r\n\r\n`, "latin1");
  for (const [from, to] of [
    [client, peer],
    [peer, client],
  ] as const) {
    from.socket.setTimeout(0).setNoDelay(true).setKeepAlive(true, 30_000);
    from.socket.on("error", () => from.socket.destroy());
    from.socket.once("close", () => to.socket.destroySoon());
    to.socket.write(from.head);
    from.socket.pipe(to.socket);
  }
}
