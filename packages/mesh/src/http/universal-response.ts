import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { securityHeaders, setSecurityHeaders } from "@smartcart/runtime";
import type { NodeResponse } from "./node-http.ts";

/** A body that is one chunk. */
export class WholeBody implements AsyncIterable<Uint8Array> {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield this.bytes;
  }
}

/**
 * Writes the answer of a handler. That of a unary call is one message: headers, message and trailers go out as one write, without
 * the listeners and promises with which connect-node waits for each chunk of a stream.
 */
export async function sendUniversalResponse(
  response: UniversalServerResponse,
  res: NodeResponse,
  isStream: boolean,
): Promise<void> {
  // Trailers over HTTP/1.1 need a body in chunks.
  const isWhole = !isStream && (response.trailer === undefined || "stream" in res);
  if (!isWhole) {
    setSecurityHeaders(res);
    return universalResponseToNodeResponse(response, res);
  }
  const message = response.body && (await readMessage(response.body));
  // Typed as one of two responses, whose signatures differ in what is not used here.
  const write = res as { writeHead(status: number, headers: object): void } & NodeResponse;
  write.writeHead(response.status, nodeHeaders(response.header, securityHeaders));
  if (response.trailer !== undefined) write.addTrailers(nodeHeaders(response.trailer));
  if (message === undefined) write.end();
  else write.end(message);
}

/** All that the body of a unary answer has, which is one chunk. */
async function readMessage(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  if (body instanceof WholeBody) return body.bytes;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];
}

/** A header that came more than once is one value, except for `set-cookie`. */
function nodeHeaders(
  headers: Headers | undefined,
  defaults: Readonly<Record<string, string>> = {},
): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = {};
  headers?.forEach((value, name) => {
    const known = values[name];
    values[name] = known === undefined ? value : [known, value].flat();
  });
  return { ...defaults, ...values };
}
