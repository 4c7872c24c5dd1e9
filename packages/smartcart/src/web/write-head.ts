import type { OutgoingHttpHeaders } from "node:http";
import { Http2ServerResponse } from "node:http2";
import type { NodeResponse } from "@smartcart/mesh";

/**
 * `writeHead` of either version of HTTP: their signatures differ in types that are not used here, so that the union cannot be called.
 *
 * @param statusMessage The words beside the number. HTTP/2 has none. Default: those of RFC 9110.
 * @throws TypeError for a header that cannot be written.
 */
export function writeHead(
  response: NodeResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  statusMessage?: string,
): void {
  if (response instanceof Http2ServerResponse) response.writeHead(status, headers);
  else response.writeHead(status, statusMessage, headers);
}
