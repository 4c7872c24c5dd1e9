import type { NodeResponse } from "./node-http.ts";

/**
 * For each response of HTTP/1.1: once the port is closed, the response says that it is the last one on its connection, also where
 * its request came before. A client that is not told sends its next request just when the idle connection is closed,
 * and cannot know whether that was heard (RFC 9112, 9.6).
 *
 * Not earlier: a client that is told so while the port is open reconnects at once, on a connection that may never be accepted.
 */
export function createConnectionClose(closed: AbortSignal): (res: NodeResponse) => void {
  const underWay = new Set<NodeResponse>();
  const announce = (res: NodeResponse) => {
    if (!res.headersSent) {
      res.setHeader("connection", "close");
    }
  };
  closed.addEventListener("abort", () => underWay.forEach(announce), { once: true });
  return (res) => {
    if (closed.aborted) {
      announce(res);
      return;
    }
    underWay.add(res);
    res.once("close", () => underWay.delete(res));
  };
}
