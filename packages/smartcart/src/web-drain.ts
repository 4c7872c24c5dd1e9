/** Stops the page's server without losing an answer that is on its way through it. */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Longest time for answers under way. */
const DRAIN_MS = 5_000;
const POLL_MS = 20;

/**
 * Follows a server's connections; the answer stops it. The port is closed, what is under way is answered within bounds, and each
 * answer is the last one on its connection. Streams and WebSockets never end by themselves: they are cut off at once, and the
 * browser connects anew.
 */
export function createWebDrain(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.prependListener("request", (_request, response: ServerResponse) => {
    if (!server.listening) response.setHeader("connection", "close");
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
  });

  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const answering = new Set<Socket | null>();
    for (const response of underWay) {
      if (isStream(String(response.getHeader("content-type") ?? ""))) continue;
      if (!response.headersSent) response.setHeader("connection", "close");
      answering.add(response.socket);
    }
    for (const socket of sockets) if (!answering.has(socket)) socket.destroy();
    // An answer whose headers were sent before the drain leaves its connection open.
    const idle = setInterval(() => server.closeIdleConnections(), POLL_MS);
    const bound = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(bound);
  };
}

/** Whether an answer of that content type never ends by itself. */
export function isStream(contentType: string | undefined): boolean {
  return /^application\/(connect\+|grpc)|event-stream/.test(contentType ?? "");
}
