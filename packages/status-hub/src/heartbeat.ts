import type { WebSocket } from "ws";

/** Pings sockets and ends those that do not answer. */
export interface Heartbeat extends Disposable {
  /** Watches a socket until it closes. */
  watch(socket: WebSocket): void;
}

/** The sockets are pinged in so many portions, so that ten thousand pings do not go out in one instant. */
const portionCount = 30;

/** A socket that has not answered its last ping when the next is due is dead: after one to two intervals. */
export function startHeartbeat(intervalMs: number): Heartbeat {
  const portions = Array.from({ length: portionCount }, () => new Set<WebSocket>());
  const silent = new WeakSet<WebSocket>();
  let watched = 0;
  let turn = 0;

  const timer = setInterval(() => {
    turn = (turn + 1) % portionCount;
    for (const socket of portions[turn] ?? []) {
      if (silent.has(socket)) {
        socket.terminate();
      } else {
        silent.add(socket);
        socket.ping();
      }
    }
  }, intervalMs / portionCount);
  timer.unref();

  return {
    watch(socket) {
      const portion = portions[watched++ % portionCount];
      portion?.add(socket);
      socket.on("pong", () => silent.delete(socket));
      socket.once("close", () => portion?.delete(socket));
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
