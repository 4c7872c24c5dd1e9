import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { SocketSender } from "./client.ts";
import type { WriteTurn } from "./write-turn.ts";

/** A socket that can be written to and closed with a bound on both. */
export interface ClosableSocketSender extends SocketSender {
  /** Begins the closing handshake; a peer that does not answer is cut off. Idempotent. */
  close(code: number, reason: string): void;
}

/** The connection of a sender and its limits. */
export interface SocketSenderOptions {
  /** The connection that `socket` speaks on. */
  readonly connection: Duplex;
  readonly turn: WriteTurn;
  /** What may wait in this process for a slow client before it is closed with 1013. */
  readonly maxBufferedBytes: number;
  readonly onSlow: () => void;
}

/** How long a peer may take to answer a close. */
const closeTimeoutMs = 2000;
/** Try again later: the client resumes by sequence. */
const tryAgainLater = 1013;

/**
 * Owns the closing of the socket: a client with more than `maxBufferedBytes` waiting is closed with 1013, one that does not answer is cut off
 * after 2 s.
 */
export function createSocketSender(
  socket: WebSocket,
  o: SocketSenderOptions,
): ClosableSocketSender {
  function close(code: number, reason: string): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.close(code, reason);
    const cutOff = setTimeout(() => socket.terminate(), closeTimeoutMs);
    socket.once("close", () => clearTimeout(cutOff));
  }

  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (o.connection.writableLength > o.maxBufferedBytes) {
        o.onSlow();
        close(tryAgainLater, "too slow: connect again and resume after your last sequence");
        return;
      }
      // Past ws, which writes its own frames at once and whole, since nothing is compressed.
      o.turn.write(o.connection, frame);
    },
    close,
  };
}
