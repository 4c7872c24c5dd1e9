import type { ContextValues } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { mapError } from "../errors/error-mapping.ts";
import type { NodeRequest, NodeResponse } from "./node-http.ts";
import type { RequestBody } from "./request-body-stream.ts";

/** The reason of each call's signal at its end: an error for each, as `abort()` makes it, is a twentieth of a call. */
const { error: hungUp } = mapError(
  new ConnectError("The caller canceled the call.", Code.Canceled),
);

/**
 * A request of Node as Connect's handlers take it. As `universalRequestFromNodeRequest` of connect-node, but that the URL is not
 * parsed, which the request gate has done, and that the end of each call makes no error.
 */
export function toUniversalRequest(
  req: NodeRequest,
  res: NodeResponse,
  body: RequestBody,
  contextValues: ContextValues,
): UniversalServerRequest {
  const { headers } = req;
  return {
    httpVersion: req.httpVersion,
    method: req.method ?? "",
    url: `http://${headers[":authority"] ?? headers.host}${req.url}`,
    header: webHeaders(headers),
    body,
    signal: closeSignal(res),
    contextValues,
  };
}

/** Aborted when the response is closed: by its end, or before it where the client hangs up. */
function closeSignal(res: NodeResponse): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => controller.abort(hungUp));
  return controller.signal;
}

/** Without the pseudo-headers of HTTP/2. */
function webHeaders(nodeHeaders: NodeRequest["headers"]): Headers {
  const headers = new Headers();
  for (const name in nodeHeaders) {
    const value = nodeHeaders[name];
    if (value === undefined || name.startsWith(":")) continue;
    if (typeof value === "string") headers.append(name, value);
    else for (const one of value) headers.append(name, one);
  }
  return headers;
}
