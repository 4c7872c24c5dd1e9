/** Stops the page's server without losing an answer that is on its way through it. */
import type { Socket } from "node:net";
import type { NodeResponse, ProtocolMux } from "@smartcart/mesh";

/** Longest time for answers under way. */
const drainMs = 5_000;
const pollMs = 20;

interface WebDrain {
  /** Takes note of an answer that is to be given. */
  follow(response: NodeResponse): void;
  /**
   * The port is closed, what is under way is answered within bounds, and each answer is the last one on its connection. Streams and
   * WebSockets never end by themselves: they are cut off at once, and the browser connects anew.
   */
  stop(): Promise<void>;
}

/** Follows the answers of a port, to stop it. */
export function createWebDrain(port: ProtocolMux): WebDrain {
  const { http1: server } = port;
  const underWay = new Set<NodeResponse>();
  return {
    follow(response) {
      if (!server.listening) response.setHeader("connection", "close");
      underWay.add(response);
      response.once("close", () => underWay.delete(response));
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const answering = new Set<Socket | null>(port.multiplexed);
      for (const response of underWay) {
        if (isStream(String(response.getHeader("content-type") ?? ""))) {
          response.destroy();
          continue;
        }
        if (!response.headersSent) response.setHeader("connection", "close");
        answering.add(response.socket);
      }
      for (const socket of port.sockets) if (!answering.has(socket)) socket.destroy();
      for (const session of port.sessions) session.close();
      // An answer whose headers were sent before the drain leaves its connection open.
      const idle = setInterval(() => server.closeIdleConnections(), pollMs);
      const bound = setTimeout(() => cutOff(port.sockets), drainMs);
      await closed;
      clearInterval(idle);
      clearTimeout(bound);
    },
  };
}

function cutOff(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy();
}

/** Whether an answer of that content type never ends by itself. */
export function isStream(contentType: string | undefined): boolean {
  return /^application\/(connect\+|grpc)|event-stream/.test(contentType ?? "");
}
