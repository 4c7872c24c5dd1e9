import type { ClientHttp2Stream } from "node:http2";
import { Http2SessionManager } from "@connectrpc/connect-node";

/**
 * Connect's, but for one thing: where a server says goodbye (GOAWAY) to an idle connection, Connect destroys the session with an
 * error, and a call that comes before that error is told, a moment later, takes Connect's own listener off. Without another
 * one the error would end the process: each restart of a peer would put its callers at risk.
 */
export class SessionManager extends Http2SessionManager {
  override async request(
    ...args: Parameters<Http2SessionManager["request"]>
  ): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    const { session } = stream;
    if (session?.listenerCount("error", ignore) === 0) {
      session.on("error", ignore);
    }
    return stream;
  }
}

/** The calls that it concerns have failed by themselves. */
function ignore(): void {}
