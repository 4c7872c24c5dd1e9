import type { Server } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TlsFiles } from "@smartcart/identity";
import type { Logger, TrustedProxies } from "@smartcart/runtime";
import { createTokenBuckets } from "@smartcart/runtime";
import { createConnectionLimit } from "../limits/connection-limit.ts";
import { createHold } from "../limits/hold.ts";
import { createHttp2Side } from "./http2-server.ts";
import { createTlsFront } from "./tls-front.ts";

/** What answers on the port. */
export interface ProtocolMuxOptions {
  /** Answers what comes by HTTP/1.1, and owns the port. It does not listen yet. */
  readonly http1: Server;
  /** Answers what comes by HTTP/2. */
  readonly onHttp2Request: (req: Http2ServerRequest, res: Http2ServerResponse) => void;
  /** Streams that a client of HTTP/2 may have open on one connection. Default 4096. */
  readonly maxStreams?: number;
  /** With it the port speaks TLS only, and the client chooses the version of HTTP by ALPN (RFC 7301). */
  readonly tls?: TlsFiles | undefined;
  /** Peers that speak for many clients, whose connections are not counted. Those of this machine are not either. */
  readonly trustedProxies: TrustedProxies;
  readonly log: Logger;
}

/** One TCP port for HTTP/1.1 and HTTP/2. */
export interface ProtocolMux {
  /** The HTTP/1.1 server, which owns the listening socket. */
  readonly http1: Server;
  /** Every open connection, whatever it speaks. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections whose protocol is not known yet. */
  readonly silent: ReadonlySet<Socket>;
  /** Connections that speak HTTP/2. */
  readonly multiplexed: ReadonlySet<Socket>;
  /** Every open HTTP/2 session. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
}

/** The beginning of the preface with which a client of HTTP/2 opens a connection (RFC 9113, 3.4); no method begins so. */
const http2Preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").subarray(0, 4);
/** A connection that sends nothing for so long is closed. */
const firstBytesTimeoutMs = 10_000;
const defaultMaxStreams = 4096;
/**
 * An aborted stream costs a server 0.1 to 0.2 ms of a processor: 3,000 at once are up to 0.6 s of it, 300 per second up to 6 %
 * of it for as long as they go on.
 */
const resetLimit = { capacity: 3_000, refillPerSecond: 300 };

/** Looks at the first bytes of each connection and hands it to the server that speaks its protocol. */
export function createProtocolMux(o: ProtocolMuxOptions): ProtocolMux {
  const { http1, log } = o;
  // By address and not by connection: a flood that is slowed down on one connection goes on with the next.
  const resets = createTokenBuckets(resetLimit);
  const hold = createHold(resets);
  const http2 = createHttp2Side({
    onRequest: o.onHttp2Request,
    maxStreams: o.maxStreams ?? defaultMaxStreams,
    resets,
    log,
  });
  http1.once("close", () => http2.close());
  const [serveHttp1] = http1.listeners("connection");
  http1.removeAllListeners("connection");

  const { track, sockets, silent } = createConnections();
  const multiplexed = new Set<Socket>();
  const serve = (socket: Socket) =>
    whenBegun(socket, http2Preface, (seen) => {
      if (seen.subarray(0, http2Preface.length).equals(http2Preface)) {
        hold(socket, () => {
          silent.delete(socket);
          multiplexed.add(socket);
          socket.once("close", () => multiplexed.delete(socket));
          http2.serve(socket);
        });
      } else {
        silent.delete(socket);
        serveHttp1?.call(http1, socket);
        // Only for HTTP/1.1: an HTTP/2 session reads the bytes that were put back by itself, and would miss data of a flowing socket.
        socket.resume();
      }
    });
  const serveSecurely =
    o.tls &&
    createTlsFront({
      files: o.tls,
      log,
      serve(secure, plain) {
        track(secure, plain);
        serve(secure);
      },
    });
  const admit = createConnectionLimit(o.trustedProxies);
  http1.on("connection", (socket: Socket) => {
    if (!admit(socket)) {
      socket.destroy();
      return;
    }
    track(socket);
    if (serveSecurely === undefined) serve(socket);
    else whenBegun(socket, Buffer.alloc(0), (seen) => serveSecurely(socket, seen));
  });
  return { http1, sockets, silent, multiplexed, sessions: http2.sessions };
}

/** The connections of a port. `track` adds one, in the place of another where it is made of that one. */
function createConnections() {
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  const drop = (socket: Socket) => {
    sockets.delete(socket);
    silent.delete(socket);
  };
  const track = (socket: Socket, instead?: Socket) => {
    if (instead !== undefined) drop(instead);
    sockets.add(socket);
    silent.add(socket);
    socket.once("close", () => drop(socket));
  };
  return { track, sockets, silent };
}

/** Calls back with the first bytes, once they can be told from `opening`, and after they are put back; the socket is paused then. */
function whenBegun(socket: Socket, opening: Buffer, then: (seen: Buffer) => void): void {
  let seen = Buffer.alloc(0);
  // It broke, said nothing for too long, or is closed by the client, who would be waited for otherwise.
  const giveUp = () => socket.destroy();
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, opening.length);
    const matches = seen.compare(opening, 0, compared, 0, compared) === 0;
    if (matches && compared < opening.length) {
      return;
    }
    socket.off("data", onData).off("error", giveUp).off("timeout", giveUp).off("end", giveUp);
    socket.setTimeout(0);
    // Paused and put back, the bytes are read again by the server that gets the socket.
    socket.pause();
    socket.unshift(seen);
    then(seen);
  };
  socket.on("data", onData).on("error", giveUp).on("timeout", giveUp).on("end", giveUp);
  socket.setTimeout(firstBytesTimeoutMs);
}
