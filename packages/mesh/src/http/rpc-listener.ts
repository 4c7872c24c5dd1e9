import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Logger, TrustedProxies } from "@smartcart/runtime";
import { peerServicesKey } from "../auth/authentication.ts";
import { addressKey, deadlineKey } from "../context/call-scope.ts";
import { boundedTimeoutMs } from "../server/local-transport.ts";
import { clientOf } from "./client-of.ts";
import type { NodeRequest, NodeResponse } from "./node-http.ts";
import { callersOf } from "./peer-service.ts";
import { RequestBody } from "./request-body-stream.ts";
import { refusalsOf } from "./rpc-refusals.ts";
import { endWithProblem } from "./send-problem.ts";
import { NodeUniversalRequest } from "./universal-request.ts";
import { sendUniversalResponse } from "./universal-response.ts";

/** What the listener works with. */
export interface RpcListenerOptions {
  readonly handlers: readonly UniversalHandler[];
  /** Whose `X-Forwarded-For` names the client of a call. */
  readonly trustedProxies: TrustedProxies;
  readonly log: Logger;
}

/** A method, and what does not change from call to call. */
interface Served {
  readonly handler: UniversalHandler;
  readonly isStream: boolean;
  /** Answers to requests that are none of a call, by the status that the handler gives them. */
  readonly refusals: ReturnType<typeof refusalsOf>;
}

/** Longest time that a stream goes on for a client of HTTP/1.1 that has closed its side, and so may be gone. */
const halfClosedStreamMs = 15_000;

/**
 * Serves RPC over Connect, gRPC and gRPC-Web. The function answers false, and touches nothing, where the path is not
 * that of a method. Connect's own adapter would do, but for these: the contract's upper bound of the deadline, which has
 * to be set before the handler reads the headers; the deadline for our interceptors, and for a body that stalls; the
 * headers of a 405 and a 415; and its log on the console.
 */
export function createRpcListener(
  o: RpcListenerOptions,
): (req: NodeRequest, res: NodeResponse) => boolean {
  const byPath = new Map(o.handlers.map((handler) => [handler.requestPath, servedOf(handler)]));
  return (req, res) => {
    const served = byPath.get(pathOf(req.url ?? ""));
    if (served === undefined) {
      return false;
    }
    serve(served, req, res, o.trustedProxies).catch((reason) => {
      // Aborted: the caller is gone, so no answer is sent.
      if (ConnectError.from(reason).code !== Code.Aborted) {
        o.log.warn("rpc.broken", { method: served.handler.method.name, error: reason });
      }
      res.destroy();
    });
    return true;
  };
}

function servedOf(handler: UniversalHandler): Served {
  const isStream = handler.method.methodKind !== "unary";
  return { handler, isStream, refusals: refusalsOf(handler) };
}

async function serve(
  { handler, isStream, refusals }: Served,
  req: NodeRequest,
  res: NodeResponse,
  trustedProxies: TrustedProxies,
): Promise<void> {
  const contextValues = createContextValues();
  const timeoutMs = boundTimeout(handler.method, req.headers);
  const deadlineAtMs = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  contextValues.set(deadlineKey, deadlineAtMs);
  contextValues.set(peerServicesKey, callersOf(req));
  contextValues.set(addressKey, clientOf(req, trustedProxies));
  if (isStream) endWhenHalfClosed(req, res);
  const body = new RequestBody(req, deadlineAtMs);
  const response = await handler(new NodeUniversalRequest(req, res, body, contextValues));
  const refusal = refusals.get(response.status);
  if (refusal !== undefined && response.body === undefined) endWithProblem(res, refusal);
  else await sendUniversalResponse(response, res, isStream);
}

/** A client that has closed its side may wait for the answer, or be gone; on a quiet stream only time tells. */
function endWhenHalfClosed(req: NodeRequest, res: NodeResponse): void {
  if (req.httpVersionMajor !== 1) return;
  const { socket } = req;
  let timer: NodeJS.Timeout | undefined;
  const onEnd = () => {
    timer = setTimeout(() => socket.destroy(), halfClosedStreamMs);
  };
  socket.once("end", onEnd);
  res.once("close", () => {
    clearTimeout(timer);
    socket.off("end", onEnd);
  });
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
    headers[name] = isGrpc ? grpcTimeout(whole) : `${whole}`;
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

/** In milliseconds where eight digits suffice, which is 27.7 hours; else in seconds. */
function grpcTimeout(ms: number): string {
  return ms < 1e8 ? `${ms}m` : `${Math.floor(ms / 1000)}S`;
}

/** The path of a request target, without its query. */
function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
