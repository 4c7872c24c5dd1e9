/**
 * Unary calls by Connect's own protocol, in POST requests. As Connect's handler answers them, but without its URL, its copies of
 * the headers and its signals, which are as much as the rest of the call. A GET is left to Connect.
 */
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  assertByteStreamRequest,
  compressionNegotiate,
  mergeNonProtocolHeaders,
} from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  contentTypeUnaryJson,
  contentTypeUnaryProto,
  createHandlerFactory,
  errorToJsonBytes,
  headerContentType,
  headerTimeout,
  headerUnaryAcceptEncoding,
  headerUnaryContentLength,
  headerUnaryEncoding,
  parseContentType,
  parseTimeout,
} from "@connectrpc/connect/protocol-connect";
import type { UnaryCall } from "../context/unary-call.ts";
import { WholeBody } from "../http/universal-response.ts";
import type { ServeUnary, UnarySpec } from "./unary-method.ts";
import type { MethodHandlerOptions, UnaryHeaders } from "./unary-request.ts";
import {
  asConnectError,
  assertHeaders,
  assertMessageSize,
  beginCall,
  createCodec,
  readWhole,
} from "./unary-request.ts";

/** The handler of a unary method for Connect's protocol. Its answers are those of Connect's handler. */
export function createConnectUnaryHandler(
  spec: UnarySpec,
  serve: ServeUnary,
  o: MethodHandlerOptions,
): UniversalHandler {
  const connects = createHandlerFactory(o)(spec);
  const { method } = spec;
  const codec = createCodec(method, o);

  /** The message of the answer. */
  async function answer(call: UnaryCall, req: UniversalServerRequest, headers: UnaryHeaders) {
    o.admit?.(call);
    assertHeaders(headers);
    assertByteStreamRequest(req);
    const { isBinary, compression } = headers;
    const told = req.header.get(headerUnaryContentLength);
    if (told !== null) assertMessageSize(Number(told), o.readMaxBytes, ` ${told}`);
    const body = await readWhole(req.body, (_, bytes) => assertMessageSize(bytes, o.readMaxBytes));
    const bytes = compression.request
      ? await compression.request.decompress(body, o.readMaxBytes)
      : body;
    const output = await serve(call, codec.read(isBinary, bytes));
    return codec.write(isBinary, output);
  }

  async function handle(req: UniversalServerRequest): Promise<UniversalServerResponse> {
    const type = parseContentType(req.header.get(headerContentType));
    if (type === undefined || type.stream || req.method !== "POST") return connects(req);
    const headers = headersOf(req, type.binary, o);
    const call = beginCall(method, req, headers);
    const { responseHeader: header } = call;
    header.set(headerContentType, type.binary ? contentTypeUnaryProto : contentTypeUnaryJson);
    let status = 200;
    let bytes: Uint8Array;
    try {
      bytes = await answer(call, req, headers);
    } catch (thrown) {
      const error = asConnectError(thrown);
      o.mapError?.(error);
      status = codeToHttpStatus(error.code);
      header.set(headerContentType, contentTypeUnaryJson);
      if (!error.isWireError) mergeNonProtocolHeaders(header, error.metadata);
      bytes = errorToJsonBytes(error, o.jsonOptions);
    } finally {
      call.end();
    }
    const { response } = headers.compression;
    if (response !== null && bytes.length >= o.compressMinBytes) {
      bytes = await response.compress(bytes);
      header.set(headerUnaryEncoding, response.name);
    }
    for (const [name, value] of call.responseTrailer) header.append(`trailer-${name}`, value);
    header.set(headerUnaryContentLength, `${bytes.length}`);
    return { status, header, body: new WholeBody(bytes) };
  }

  return Object.assign(handle, connects);
}

function headersOf(
  { header }: UniversalServerRequest,
  isBinary: boolean,
  o: MethodHandlerOptions,
): UnaryHeaders {
  const compression = compressionNegotiate(
    o.acceptCompression,
    header.get(headerUnaryEncoding),
    header.get(headerUnaryAcceptEncoding),
    headerUnaryAcceptEncoding,
  );
  const timeout = parseTimeout(header.get(headerTimeout), o.maxTimeoutMs);
  return { protocolName: "connect", isBinary, timeout, compression };
}
