import { Code, ConnectError } from "@connectrpc/connect";
import { delay } from "@smartcart/runtime";
import type { OnePort } from "./one-port.ts";
import type { Shutdown } from "./serving.ts";

/** What is drained, and how. */
export interface DrainOptions {
  readonly port: OnePort;
  /** Longest time for calls under way, in milliseconds. */
  readonly drainMs: number;
  /** Time between "not serving" and the closing of the port, in milliseconds; it is part of `drainMs`. */
  readonly noticeMs: number;
  readonly shutdown: Shutdown;
  /** Calls under way, those within the process included. */
  readonly inFlight: () => number;
}

/** Time for the answers to calls that were cut off. */
const lastWordsMs = 100;
const pollMs = 20;

/**
 * Stops a server: the port is closed, HTTP/2 sessions get GOAWAY, streams end, unary calls finish. After `drainMs` the
 * rest is cut off.
 */
export async function drain(o: DrainOptions): Promise<void> {
  const { shutdown } = o;
  const { http1, sessions, silent, sockets } = o.port;
  shutdown.draining.abort();
  const endsAt = Date.now() + o.drainMs;
  if (sockets.size > 0) {
    await delay(Math.min(o.noticeMs, o.drainMs));
  }
  http1.close();
  shutdown.streams.abort(shutdownError());
  // Browsers open connections in advance; nothing is lost with one that was never used.
  for (const socket of silent) {
    socket.destroy();
  }
  for (const session of sessions) {
    session.close();
  }
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

async function untilIdle({ port, inFlight }: DrainOptions, endsAt: number): Promise<void> {
  while ((port.sockets.size > 0 || inFlight() > 0) && Date.now() < endsAt) {
    // A kept-alive connection becomes idle whenever its request under way has been answered.
    port.http1.closeIdleConnections();
    await delay(pollMs);
  }
}

function shutdownError(): ConnectError {
  return new ConnectError("The server is shutting down. Connect again.", Code.Unavailable);
}
