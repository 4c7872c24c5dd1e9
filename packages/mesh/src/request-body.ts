import type { JsonValue } from "@bufbuild/protobuf";
import { HttpProblemError } from "./problem.ts";
import type { NodeRequest } from "./rpc-listener.ts";

/**
 * Reads the JSON body of a request; undefined where there is none.
 * @throws HttpProblemError 413 where it is longer than `maxBytes`, 415 where it is not JSON by its content type, 400
 * where it is not JSON in fact.
 */
export async function readJsonBody(
  req: NodeRequest,
  maxBytes: number,
): Promise<JsonValue | undefined> {
  const bytes = await readBytes(req, maxBytes);
  if (bytes.length === 0) {
    return undefined;
  }
  assertJsonType(req.headers["content-type"]);
  try {
    // Fatal: a body that is not UTF-8 would otherwise be stored with replacement characters in it.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as JsonValue;
  } catch (cause) {
    const reason = (cause as Error).message;
    const init = {
      status: 400,
      code: "MALFORMED_JSON",
      title: "The body is not JSON",
      detail: `The body cannot be read as JSON in UTF-8: ${reason}. Correct it and send it again.`,
    };
    throw new HttpProblemError(init, { cause });
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

/** What follows is thrown away, so that the client gets to read the answer before the connection is closed. */
function tooLarge(req: NodeRequest, maxBytes: number): HttpProblemError {
  req.resume();
  return new HttpProblemError({
    status: 413,
    code: "BODY_TOO_LARGE",
    title: "The body is too large",
    detail: `A body may have ${maxBytes} bytes. Send less.`,
    headers: req.httpVersionMajor === 1 ? { connection: "close" } : {},
  });
}
