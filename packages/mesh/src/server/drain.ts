import type { Server } from "node:http";
import { Server as TcpServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { delay } from "@smartcart/runtime";
import type { ProtocolMux } from "../http/protocol-mux.ts";
import type { Shutdown } from "./serving.ts";

/** What is drained, and how. */
export interface DrainOptions {
  readonly port: ProtocolMux;
  /** Longest time for calls under way, in milliseconds. */
  readonly drainMs: number;
  /**
   * Time between "not serving" and the closing of the port, and again for a last request on each connection that is open
   * then, in milliseconds. Both are part of `drainMs`.
   */
  readonly noticeMs: number;
  readonly shutdown: Shutdown;
  /** Calls under way, those within the process included. */
  readonly inFlight: () => number;
}

/** Time for the answers to calls that were cut off. */
const lastWordsMs = 100;
/** Longest time for accepting the connections that are already established. */
const lettingInMs = 100;
const pollMs = 20;

/**
 * Stops a server: the port is closed, HTTP/2 sessions get GOAWAY, streams end, unary calls finish. After `drainMs` the
 * rest is cut off. A connection of HTTP/1.1 may bring one more request, whose answer says that it was the last.
 */
export async function drain(o: DrainOptions): Promise<void> {
  const { shutdown } = o;
  const { http1, sessions, silent, sockets } = o.port;
  shutdown.draining.abort();
  const endsAt = Date.now() + o.drainMs;
  if (sockets.size > 0) {
    await delay(Math.min(o.noticeMs, o.drainMs));
  }
  await untilLetIn(http1, Math.min(endsAt, Date.now() + lettingInMs));
  // Only the port: the server's own `close` would also cut off the idle connections, on which a request may be on its way.
  TcpServer.prototype.close.call(http1);
  shutdown.streams.abort(shutdownError());
  for (const session of sessions) {
    session.close();
  }
  await untilIdle(o, Math.min(endsAt, Date.now() + o.noticeMs));
  // Requests that have arrived in the meantime are read first.
  await setImmediate();
  // Browsers open connections in advance; nothing is lost with one that was never used.
  for (const socket of silent) {
    socket.destroy();
  }
  http1.close();
  await untilIdle(o, endsAt);
  shutdown.unary.abort(shutdownError());
  // What was aborted gets an answer, where it can be written at once.
  await untilIdle(o, Date.now() + lastWordsMs);
  for (const session of sessions) {
    session.destroy();
  }
  for (const socket of sockets) {
    socket.destroy();
  }
  shutdown.stopped.abort();
}

/**
 * Waits until everybody who has connected is let in, since the system cuts off whom it still holds when the port is closed. A
 * turn of the event loop lets in one; the first of them may be over before it has looked at the port.
 */
async function untilLetIn(http1: Server, endsAt: number): Promise<void> {
  let quietTurns = 0;
  const count = () => {
    quietTurns = 0;
  };
  http1.on("connection", count);
  while (quietTurns < 2 && Date.now() < endsAt) {
    quietTurns += 1;
    await setImmediate();
  }
  http1.off("connection", count);
}

async function untilIdle({ port, inFlight }: DrainOptions, endsAt: number): Promise<void> {
  while ((port.sockets.size > 0 || inFlight() > 0) && Date.now() < endsAt) {
    await delay(pollMs);
  }
}

function shutdownError(): ConnectError {
  return new ConnectError("The server is shutting down. Connect again.", Code.Unavailable);
}
