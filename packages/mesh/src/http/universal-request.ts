import type { ContextValues } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { mapError } from "../errors/error-mapping.ts";
import type { NodeRequest, NodeResponse } from "./node-http.ts";
import type { RequestBody } from "./request-body-stream.ts";

/** Why a call ends whose client hung up. One for all: an error for each, as `abort()` makes it, is a twentieth of a call. */
const { error: hungUp } = mapError(
  new ConnectError("The caller canceled the call.", Code.Canceled),
);

/**
 * A request of Node as Connect's handlers take it. As `universalRequestFromNodeRequest` of connect-node makes it, but that the URL is
 * not parsed, which the request gate has done, and that the signal is created at its first use.
 */
export class NodeUniversalRequest implements UniversalServerRequest {
  readonly httpVersion: string;
  readonly method: string;
  readonly url: string;
  readonly header: Headers;
  readonly body: RequestBody;
  readonly contextValues: ContextValues;
  readonly #res: NodeResponse;
  #signal: AbortSignal | undefined;

  constructor(req: NodeRequest, res: NodeResponse, body: RequestBody, values: ContextValues) {
    const { headers } = req;
    this.httpVersion = req.httpVersion;
    this.method = req.method ?? "";
    this.url = `http://${headers[":authority"] ?? headers.host}${req.url}`;
    this.header = webHeaders(headers);
    this.body = body;
    this.contextValues = values;
    this.#res = res;
  }

  /** Aborted when the response is closed: after its end, or before it where the client hangs up. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.whenClosed((reason) => controller.abort(reason));
    }
    return this.#signal;
  }

  /** Calls back when the response is closed, as `signal` does. */
  whenClosed(then: (reason: ConnectError) => void): void {
    this.#res.once("close", () => then(hungUp));
  }
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
