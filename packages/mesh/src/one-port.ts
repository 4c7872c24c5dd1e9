import type { IncomingMessage, RequestListener, Server } from "node:http";
import { createServer as createHttp1Server } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "@smartcart/runtime";
import type { NodeRequest, NodeResponse } from "./rpc-listener.ts";

/** What answers on the port. */
export interface OnePortOptions {
  readonly onRequest: (req: NodeRequest, res: NodeResponse) => void;
  /** Takes over a connection that asks for an upgrade (WebSocket); only HTTP/1.1 can. */
  readonly onUpgrade: ((...args: UpgradeArguments) => void) | undefined;
  readonly log: Logger;
}

type UpgradeArguments = [req: IncomingMessage, socket: Duplex, head: Buffer];

/** One TCP port for HTTP/1.1 and cleartext HTTP/2. */
export interface OnePort {
  /** The HTTP/1.1 server, which owns the listening socket. */
  readonly http1: Server;
  /** Every open connection, whatever it speaks. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections that have not said yet what they speak. */
  readonly silent: ReadonlySet<Socket>;
  /** Every open HTTP/2 session. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
}

/** The beginning of the preface with which a client of HTTP/2 opens a connection (RFC 9113, 3.4); no method begins so. */
const http2Preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").subarray(0, 4);
/** A connection that says nothing for so long is closed. */
const firstBytesTimeoutMs = 10_000;

/** Looks at the first bytes of each connection and hands it to the server that speaks its protocol. */
export function createOnePort(o: OnePortOptions): OnePort {
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 4096 } }, o.onRequest);
  const http1 = createHttp1Server(
    // Longer than the idle time-out of common load balancers, so that they close first.
    { noDelay: true, keepAlive: true, keepAliveTimeout: 65_000, requestTimeout: 30_000 },
    o.onRequest as RequestListener,
  );
  if (o.onUpgrade !== undefined) {
    http1.on("upgrade", o.onUpgrade);
  }
  const [serveHttp1] = http1.listeners("connection");
  http1.removeAllListeners("connection");

  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  http1.on("connection", (socket: Socket) => {
    sockets.add(socket);
    silent.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      silent.delete(socket);
    });
    whenVersionIsKnown(socket, (isHttp2) => {
      silent.delete(socket);
      if (isHttp2) {
        http2.emit("connection", socket);
      } else {
        serveHttp1?.call(http1, socket);
        // Only here: a session of HTTP/2 takes what was put back by itself, and would miss what flows.
        socket.resume();
      }
    });
  });
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  http2.on("sessionError", (error) => o.log.debug("http2.session_failed", { error }));
  return { http1, sockets, silent, sessions };
}

function whenVersionIsKnown(socket: Socket, then: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  // It broke, said nothing for too long, or is closed by the client, who would be waited for otherwise.
  const giveUp = () => socket.destroy();
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, http2Preface.length);
    const matches = seen.compare(http2Preface, 0, compared, 0, compared) === 0;
    if (matches && compared < http2Preface.length) {
      return;
    }
    socket.off("data", onData).off("error", giveUp).off("timeout", giveUp).off("end", giveUp);
    socket.setTimeout(0);
    // Paused and put back, the bytes are read again by the server that gets the socket.
    socket.pause();
    socket.unshift(seen);
    then(matches);
  };
  socket.on("data", onData).on("error", giveUp).on("timeout", giveUp).on("end", giveUp);
  socket.setTimeout(firstBytesTimeoutMs);
}
