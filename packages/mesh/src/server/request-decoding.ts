import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { createRegistry } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import type { HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression, UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import {
  assertItemCounts,
  MalformedJsonError,
  parseExactJson,
  readJson,
} from "@smartcart/contract";
import { ProblemSchema } from "@smartcart/gen/type/v1/problem_pb";
import { callEnded } from "../context/unary-call.ts";
import { genericProblem, mapError } from "../errors/error-mapping.ts";
import { commonDetails, DomainError, problemOf } from "../errors/errors.ts";
import type { Admit, MethodHandlerOptions } from "./unary-request.ts";

/**
 * How Connect decodes the requests of a method that are let in. What cannot be decoded fails before any interceptor sees the call; these
 * options see to it that the caller gets the same errors as from the interceptors: a fault of the caller is
 * INVALID_ARGUMENT or RESOURCE_EXHAUSTED, and every error carries a `Problem`.
 */
export function requestDecoding(
  method: DescMethod,
  maxBytes: number,
  admit: Admit,
): Partial<MethodHandlerOptions> {
  // Connect decodes JSON with this member, which its type for handlers leaves out.
  const decoder = {
    textDecoder: { decode: (bytes: Uint8Array) => checkedJson(method.input, bytes).text },
  };
  const jsonOptions: UniversalHandlerOptions["jsonOptions"] & object = {
    ...decoder,
    // The failed items of a batch carry the details of their errors, which JSON writes by their types.
    registry: createRegistry(method.parent.file, ...commonDetails),
  };
  return {
    readMaxBytes: maxBytes,
    acceptCompression: [compressionGzip, compressionBrotli].map((one) =>
      counted(method.input, one),
    ),
    jsonOptions,
    // Nothing reads unknown fields; each one kept would be an object.
    binaryOptions: { readUnknownFields: false },
    readJson: (bytes) => checkedJson(method.input, bytes).message,
    mapError: (error) => mapDecodingError(error, maxBytes),
    admit,
    requestGate(context) {
      mapAborting(context, maxBytes);
      admit(context);
      assertBase64(context);
    },
  };
}

/** Refuses a list that is too long right after decompression: decoding it would cost far more memory than its bytes. */
function counted(schema: DescMessage, { name, compress, decompress }: Compression): Compression {
  return {
    name,
    compress,
    async decompress(bytes, readMaxBytes) {
      const message = await decompress(bytes, readMaxBytes);
      try {
        assertItemCounts(schema, message);
      } catch (thrown) {
        throw mapError(thrown).error;
      }
      return message;
    },
  };
}

/** Fatal: otherwise U+FFFD would be stored in place of the invalid bytes. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The message, and its text for Connect to parse, in which nothing is left that it would swallow or refuse without naming the field. */
function checkedJson(schema: DescMessage, bytes: Uint8Array): { message: Message; text: string } {
  try {
    const { json, text } = parseExactJson(schema, decodeUtf8(bytes), { ignoreUnknownFields: true });
    return { message: readJson(schema, json, { ignoreUnknownFields: true }), text };
  } catch (thrown) {
    throw mapError(thrown).error;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MalformedJsonError((cause as Error).message, { cause });
  }
}

/** A message in the query of a GET; Connect answers 500 where it is not base64. */
function assertBase64({ requestMethod, url }: HandlerContext): void {
  if (requestMethod !== "GET") {
    return;
  }
  const query = new URL(url).searchParams;
  if (query.get("base64") !== "1") {
    return;
  }
  try {
    base64Decode(query.get("message") ?? "");
  } catch (cause) {
    const message = "The parameter message is not base64, although base64=1 is set.";
    throw mapError(malformed(message, cause)).error;
  }
}

/** Errors of Connect's own before the interceptors, by the beginning of their text: it gives them the code INTERNAL. */
const faultsOfTheCaller = ["parse binary", "decompression failed"] as const;

/**
 * Connect ends each call by `abort`, with the error that it is about to write to the caller: what is changed here is what is sent.
 * Where there is none it would make one.
 */
function mapAborting(context: HandlerContext & Partial<Abortable>, maxBytes: number): void {
  const { abort } = context;
  context.abort = (reason: unknown = callEnded) => {
    if (reason instanceof ConnectError && reason !== callEnded) mapDecodingError(reason, maxBytes);
    abort?.(reason);
  };
}

/** What handlers of Connect can do with their context, and implementations cannot. */
interface Abortable {
  abort(reason?: unknown): void;
}

/** An error that has no problem yet comes from the decoding of the request; it becomes what the interceptors make of all others. */
function mapDecodingError(error: ConnectError, maxBytes: number): void {
  if (problemOf(error) !== undefined) return;
  const { code, rawMessage, message, details } = mapDecoding(error, maxBytes);
  Object.assign(error, { code, rawMessage, message, details: [...details, ...error.details] });
}

function mapDecoding(error: ConnectError, maxBytes: number): ConnectError {
  if (faultsOfTheCaller.some((text) => error.rawMessage.startsWith(text))) {
    const message = `The request cannot be decoded: ${error.rawMessage}. Correct it and send it again.`;
    return mapError(malformed(message, error)).error;
  }
  if (error.code === Code.ResourceExhausted) {
    return mapError(tooLarge(maxBytes, error)).error;
  }
  const details = [{ desc: ProblemSchema, value: genericProblem(error.code, 0) }];
  return new ConnectError(error.rawMessage, error.code, undefined, details);
}

function malformed(message: string, cause: unknown): DomainError {
  return new DomainError({
    code: "MALFORMED_MESSAGE",
    rpcCode: Code.InvalidArgument,
    title: "The request cannot be decoded",
    message,
    cause,
  });
}

function tooLarge(maxBytes: number, cause: unknown): DomainError {
  return new DomainError({
    code: "BODY_TOO_LARGE",
    rpcCode: Code.ResourceExhausted,
    title: "The message is too large",
    message: `A message must have at most ${maxBytes} bytes, also after decompression. Send a smaller one.`,
    httpStatus: 413,
    cause,
  });
}
