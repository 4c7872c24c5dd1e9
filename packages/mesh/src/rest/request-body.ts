import { MalformedJsonError } from "@smartcart/contract";
import { HttpProblemError } from "../errors/problem.ts";
import type { NodeRequest } from "../http/node-http.ts";
import { bodyTooLarge, decodeContent } from "./content-encoding.ts";

/** Fatal: a body that is not UTF-8 would otherwise be stored with replacement characters in it. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the JSON body of a request as text; undefined where there is none.
 * @throws HttpProblemError 413 where it is longer than `maxBytes`, before or after it is decompressed; 415 where it is not
 * JSON by its content type or has a content encoding that is not known; 400 where it is not what its encoding says.
 * @throws MalformedJsonError where it is not UTF-8.
 */
export async function readBodyText(
  req: NodeRequest,
  maxBytes: number,
): Promise<string | undefined> {
  const sent = await readBytes(req, maxBytes);
  if (sent.length === 0) {
    return undefined;
  }
  assertJsonType(req.headers["content-type"]);
  const bytes = await decodeContent(sent, req.headers["content-encoding"], maxBytes);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MalformedJsonError((cause as Error).message, { cause });
  }
}

function assertJsonType(contentType: string | undefined): void {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith("charset="));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (isUtf8 && /^application\/([\w.-]+\+)?json$/.test(type.trim())) {
    return;
  }
  throw new HttpProblemError({
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
    title: "The content type is not supported",
    detail: 'Send JSON in UTF-8, with the header "Content-Type: application/json".',
    headers: { "accept-post": "application/json" },
  });
}

async function readBytes(req: NodeRequest, maxBytes: number): Promise<Buffer> {
  if (Number(req.headers["content-length"] ?? 0) > maxBytes) {
    throw tooLarge(req, maxBytes);
  }
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > maxBytes) {
      req.off("data", onData);
      reject(tooLarge(req, maxBytes));
    }
  };
  req.on("data", onData);
  req.once("end", () => resolve(Buffer.concat(chunks)));
  req.once("error", reject);
  req.once("aborted", () => reject(new DOMException("the client hung up", "AbortError")));
  return promise;
}

/** Discards the rest of the body, so that the client can read the answer before the connection is closed. */
function tooLarge(req: NodeRequest, maxBytes: number): HttpProblemError {
  req.resume();
  return bodyTooLarge(maxBytes, req.httpVersionMajor === 1 ? { connection: "close" } : {});
}
