import { WebSocket } from "ws";
import type { Outlet } from "./client.ts";

/** A socket that can be written to and closed with a bound on both. */
export interface SocketOutlet extends Outlet {
  /** Begins the closing handshake; a peer that does not answer is cut off. Idempotent. */
  close(code: number, reason: string): void;
}

/** How long a peer may take to answer a close. */
const CLOSE_TIMEOUT_MS = 2000;
/** Try again later: the client resumes by sequence. */
const TRY_AGAIN_LATER = 1013;

/** @param maxBufferedBytes what may wait in this process for a slow client before it is closed with 1013 */
export function createSocketOutlet(
  socket: WebSocket,
  o: { readonly maxBufferedBytes: number; readonly onSlow: () => void },
): SocketOutlet {
  function close(code: number, reason: string): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.close(code, reason);
    const cutOff = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
    socket.once("close", () => clearTimeout(cutOff));
  }

  return {
    send(data) {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > o.maxBufferedBytes) {
        o.onSlow();
        close(TRY_AGAIN_LATER, "too slow: connect again and resume after your last sequence");
        return;
      }
      // A buffer, so that a frame for many is not encoded for each of them; not binary, since it is text.
      socket.send(data, { binary: false });
    },
    close,
  };
}
