import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "@smartcart/runtime";
import { deadlineKey } from "./call-scope.ts";
import { boundedTimeoutMs } from "./local-transport.ts";

/** A request of either version of HTTP, as Node hands it over. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** Its response. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/**
 * Serves RPC over Connect, gRPC and gRPC-Web. The function answers false, and touches nothing, where the path is not
 * that of a method. Connect's own adapter would do, but for three things: the contract's upper bound of the deadline,
 * which has to be set before the handler reads the headers; the deadline for our interceptors; and its log on the console.
 */
export function createRpcListener(
  handlers: readonly UniversalHandler[],
  log: Logger,
): (req: NodeRequest, res: NodeResponse) => boolean {
  const byPath = new Map(handlers.map((handler) => [handler.requestPath, handler]));
  return (req, res) => {
    const handler = byPath.get(pathOf(req.url ?? ""));
    if (handler === undefined) {
      return false;
    }
    serve(handler, req, res).catch((reason) => {
      // Aborted: the caller is gone, so that there is nobody to answer.
      if (ConnectError.from(reason).code !== Code.Aborted) {
        log.warn("rpc.broken", { method: handler.method.name, error: reason });
      }
      res.destroy();
    });
    return true;
  };
}

async function serve(
  handler: UniversalHandler,
  req: NodeRequest,
  res: NodeResponse,
): Promise<void> {
  const contextValues = createContextValues();
  const timeoutMs = boundTimeout(handler.method, req.headers);
  contextValues.set(deadlineKey, timeoutMs === undefined ? undefined : Date.now() + timeoutMs);
  const request = universalRequestFromNodeRequest(req, res, undefined, contextValues);
  await universalResponseToNodeResponse(await handler(request), res);
}

/** Writes the bound of the contract into the request's own time-out header, whose name is the protocol's. */
function boundTimeout(method: DescMethod, headers: NodeRequest["headers"]): number | undefined {
  const isGrpc = headers["content-type"]?.startsWith("application/grpc") === true;
  const name = isGrpc ? "grpc-timeout" : "connect-timeout-ms";
  const asked = headers[name];
  const askedMs = typeof asked === "string" ? parseTimeoutMs(asked, isGrpc) : undefined;
  const timeoutMs = boundedTimeoutMs(method, askedMs);
  // A malformed value is left for the handler to refuse.
  if (timeoutMs !== undefined && (asked === undefined || askedMs !== undefined)) {
    const whole = Math.max(1, Math.round(timeoutMs));
    headers[name] = isGrpc ? `${whole}m` : `${whole}`;
  }
  return timeoutMs;
}

const grpcUnitMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const;

/** `grpc-timeout` is up to eight digits and a unit (gRPC over HTTP/2), `connect-timeout-ms` up to ten digits. */
function parseTimeoutMs(text: string, isGrpc: boolean): number | undefined {
  const match = (isGrpc ? /^(\d{1,8})([HMSmun])$/ : /^(\d{1,10})$/).exec(text);
  if (match === null) {
    return undefined;
  }
  return Number(match[1]) * (isGrpc ? grpcUnitMs[match[2] as keyof typeof grpcUnitMs] : 1);
}

/** The path of a request target, without its query. */
function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
