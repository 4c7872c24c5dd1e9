import type { Server } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Logger, TrustedProxies } from "@smartcart/runtime";
import { createTokenBuckets } from "@smartcart/runtime";
import { createConnectionLimit } from "../limits/connection-limit.ts";
import { createHold } from "../limits/hold.ts";
import type { OnUpgrade } from "./http1-server.ts";
import { createHttp1Server } from "./http1-server.ts";
import type { Http2Side } from "./http2-server.ts";
import { createHttp2Side } from "./http2-server.ts";
import type { NodeRequest, NodeResponse } from "./node-http.ts";

/** What answers on the port. */
export interface ProtocolMuxOptions {
  readonly onRequest: (req: NodeRequest, res: NodeResponse) => void;
  /** Takes over a connection that asks for a WebSocket; only HTTP/1.1 can. */
  readonly onUpgrade: OnUpgrade | undefined;
  /** Peers that speak for many clients, whose connections are not counted. Those of this machine are not either. */
  readonly trustedProxies: TrustedProxies;
  readonly log: Logger;
}

/** One TCP port for HTTP/1.1 and cleartext HTTP/2. */
export interface ProtocolMux {
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
/**
 * An aborted stream costs a server 0.1 to 0.2 ms of a processor: 3,000 at once are up to 0.6 s of it, 300 per second up to 6 %
 * of it for as long as they go on.
 */
const resetAllowance = { capacity: 3_000, refillPerSecond: 300 };

/** Looks at the first bytes of each connection and hands it to the server that speaks its protocol. */
export function createProtocolMux(o: ProtocolMuxOptions): ProtocolMux {
  // By address and not by connection: a flood that is slowed down on one connection goes on with the next.
  const resets = createTokenBuckets(resetAllowance);
  const hold = createHold(resets);
  const http2 = createHttp2Side({ onRequest: o.onRequest, resets, log: o.log });
  const http1 = createHttp1Server({ onRequest: o.onRequest, onUpgrade: o.onUpgrade });
  http1.once("close", () => http2.close());
  const [serveHttp1] = http1.listeners("connection");
  http1.removeAllListeners("connection");

  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  const admit = createConnectionLimit(o.trustedProxies);
  http1.on("connection", (socket: Socket) => {
    if (!admit(socket)) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    silent.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      silent.delete(socket);
    });
    whenVersionIsKnown(socket, (isHttp2) => {
      if (isHttp2) {
        hold(socket, () => serveHttp2(socket, silent, http2));
      } else {
        silent.delete(socket);
        serveHttp1?.call(http1, socket);
        // Only here: a session of HTTP/2 takes what was put back by itself, and would miss what flows.
        socket.resume();
      }
    });
  });
  return { http1, sockets, silent, sessions: http2.sessions };
}

function serveHttp2(socket: Socket, silent: Set<Socket>, http2: Http2Side): void {
  silent.delete(socket);
  http2.serve(socket);
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
