import type { Socket } from "node:net";
import type { TokenBuckets } from "@smartcart/runtime";
import { networkOf } from "@smartcart/runtime";

/** Connections of one address that wait at most; one more is closed. */
const maxHeld = 64;
/** Longest wait of a connection; after it the connection is closed. */
const maxHoldMs = 10_000;
/** Pause after a connection is let in, in which its first aborted streams are counted. */
const settleMs = 20;

/**
 * Lets the connections of an address in one after the other, and only while the address is within the limit of
 * aborted streams: a client that is slowed down on one connection could otherwise go on with the next.
 */
export function createHold(resets: TokenBuckets): (socket: Socket, serve: () => void) => void {
  const lines = new Map<string, Map<Socket, () => void>>();

  function letIn(address: string, line: Map<Socket, () => void>): void {
    const [first] = line;
    if (first === undefined) {
      lines.delete(address);
      return;
    }
    const debtMs = resets.debtMs(address);
    if (debtMs === 0) {
      const [socket, serve] = first;
      line.delete(socket);
      serve();
    }
    setTimeout(() => letIn(address, line), Math.max(settleMs, Math.min(debtMs, maxHoldMs))).unref();
  }

  return (socket, serve) => {
    const address = networkOf(socket.remoteAddress ?? "");
    const line = lines.get(address);
    if (line === undefined && resets.debtMs(address) === 0) {
      serve();
    } else if (line !== undefined && line.size >= maxHeld) {
      socket.destroy();
    } else {
      const waiting = line ?? new Map<Socket, () => void>();
      hold(socket, waiting, serve);
      if (line === undefined) {
        lines.set(address, waiting);
        letIn(address, waiting);
      }
    }
  };
}

function hold(socket: Socket, line: Map<Socket, () => void>, serve: () => void): void {
  const giveUp = () => socket.destroy();
  const timer = setTimeout(giveUp, maxHoldMs).unref();
  const leave = () => {
    clearTimeout(timer);
    line.delete(socket);
    socket.off("error", giveUp).off("close", leave);
  };
  socket.on("error", giveUp).once("close", leave);
  line.set(socket, () => {
    leave();
    serve();
  });
}
