import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { HttpProblemError } from "../errors/problem.ts";

type Decompress = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;

const unzip: Decompress = promisify(gunzip);
/** Content codings of RFC 9110, 8.4.1, and Brotli. */
const decompressors: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ["gzip", unzip],
  ["x-gzip", unzip],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
]);

/**
 * Undoes the content encoding of a body.
 * @throws HttpProblemError 415 where the encoding is not known, 413 where the result is longer than `maxBytes`, 400 where
 * the body is not in that encoding.
 */
export async function decodeContent(
  bytes: Uint8Array,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  const name = encoding?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") {
    return bytes;
  }
  const decompress = decompressors.get(name);
  if (decompress === undefined) {
    throw unknownEncoding();
  }
  try {
    return await decompress(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw bodyTooLarge(maxBytes);
    }
    throw notEncoded(name, cause);
  }
}

/** The problem of a body that is too long, as it was sent or after decompression. */
export function bodyTooLarge(
  maxBytes: number,
  headers: Readonly<Record<string, string>> = {},
): HttpProblemError {
  return new HttpProblemError({
    status: 413,
    code: "BODY_TOO_LARGE",
    title: "The body is too large",
    detail: `A body may have ${maxBytes} bytes, after decompression as well. Send less.`,
    headers,
  });
}

function unknownEncoding(): HttpProblemError {
  return new HttpProblemError({
    status: 415,
    code: "UNSUPPORTED_CONTENT_ENCODING",
    title: "The content encoding is not supported",
    detail: "Send the body as it is, or with one of the encodings gzip, deflate and br.",
    headers: { "accept-encoding": "gzip, deflate, br" },
  });
}

function notEncoded(name: string, cause: unknown): HttpProblemError {
  return new HttpProblemError(
    {
      status: 400,
      code: "MALFORMED_BODY",
      title: "The body is not in its content encoding",
      detail: `The header says "Content-Encoding: ${name}", and the body cannot be decompressed so. Correct one of the two.`,
    },
    { cause },
  );
}
