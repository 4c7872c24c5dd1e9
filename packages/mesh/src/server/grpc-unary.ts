/**
 * Unary calls over gRPC. Connect serves each of them as a stream, through nine generators one within the other, which is more than half
 * of the call. Here the message is read whole, answered, and written whole; everything else is done by Connect's own parts.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  assertByteStreamRequest,
  compressionNegotiate,
  encodeEnvelope,
  envelopeCompress,
  envelopeDecompress,
} from "@connectrpc/connect/protocol";
import {
  contentTypeJson,
  contentTypeProto,
  createHandlerFactory,
  grpcStatusOk,
  headerAcceptEncoding,
  headerContentType,
  headerEncoding,
  headerGrpcStatus,
  headerTimeout,
  parseContentType,
  parseTimeout,
  setTrailerStatus,
} from "@connectrpc/connect/protocol-grpc";
import type { UnaryCall } from "../context/unary-call.ts";
import { WholeBody } from "../http/universal-response.ts";
import type { ServeUnary, UnarySpec } from "./unary-method.ts";
import type { AssertSize, MethodHandlerOptions, UnaryHeaders } from "./unary-request.ts";
import {
  asConnectError,
  assertHeaders,
  assertMessageSize,
  beginCall,
  createCodec,
  readWhole,
} from "./unary-request.ts";

/** The handler of a unary method for gRPC. Its answers are those of Connect's handler. */
export function createGrpcUnaryHandler(
  spec: UnarySpec,
  serve: ServeUnary,
  o: MethodHandlerOptions,
): UniversalHandler {
  const connects = createHandlerFactory(o)(spec);
  const { method } = spec;
  const codec = createCodec(method, o);

  /** The framed message of the answer. */
  async function answer(call: UnaryCall, req: UniversalServerRequest, headers: UnaryHeaders) {
    o.admit?.(call);
    assertHeaders(headers);
    assertByteStreamRequest(req);
    const { isBinary, compression } = headers;
    const bytes = await readMessage(req.body, compression.request, o.readMaxBytes);
    const output = await serve(call, codec.read(isBinary, bytes));
    const data = codec.write(isBinary, output);
    return frame(data, compression.response, o.compressMinBytes);
  }

  async function handle(req: UniversalServerRequest): Promise<UniversalServerResponse> {
    const type = parseContentType(req.header.get(headerContentType));
    if (type === undefined || req.method !== "POST") return connects(req);
    const headers = headersOf(req, type.binary, o);
    const call = beginCall(method, req, headers);
    const { responseHeader: header, responseTrailer: trailer } = call;
    header.set(headerContentType, type.binary ? contentTypeProto : contentTypeJson);
    const { response } = headers.compression;
    if (response !== null) header.set(headerEncoding, response.name);
    try {
      const body = new WholeBody(await answer(call, req, headers));
      trailer.set(headerGrpcStatus, grpcStatusOk);
      return { status: 200, header, body, trailer };
    } catch (thrown) {
      const error = asConnectError(thrown);
      o.mapError?.(error);
      setTrailerStatus(trailer, error);
      return { status: 200, header, trailer };
    } finally {
      call.end();
    }
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
    header.get(headerEncoding),
    header.get(headerAcceptEncoding),
    headerAcceptEncoding,
  );
  const timeout = parseTimeout(header.get(headerTimeout), o.maxTimeoutMs);
  return { protocolName: "grpc", isBinary, timeout, compression };
}

const prefixBytes = 5;

/** The one message of the body (gRPC over HTTP/2, Length-Prefixed-Message). */
async function readMessage(
  body: AsyncIterable<Uint8Array>,
  compression: Compression | null,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes = await readWhole(body, oneMessage(maxBytes));
  if (bytes.length === 0) {
    throw new ConnectError(
      "protocol error: missing input message for unary method",
      Code.Unimplemented,
    );
  }
  if (bytes.length < prefixBytes || bytes.length < prefixBytes + bytes.readUInt32BE(1)) {
    throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
  }
  const envelope = { flags: bytes[0] ?? 0, data: bytes.subarray(prefixBytes) };
  if (envelope.flags === 0) return envelope.data;
  return (await envelopeDecompress(envelope, compression, maxBytes)).data;
}

/** What is too long, or more than one message, is not waited for. */
function oneMessage(maxBytes: number): AssertSize {
  let length: number | undefined;
  return (chunks, bytes) => {
    if (bytes < prefixBytes) return;
    if (length === undefined) {
      length = Buffer.concat(chunks, prefixBytes).readUInt32BE(1);
      assertMessageSize(length, maxBytes, ` ${length}`);
    }
    if (bytes > prefixBytes + length) {
      throw new ConnectError(
        "protocol error: received extra input message for unary method",
        Code.Unimplemented,
      );
    }
  };
}

async function frame(
  data: Uint8Array,
  compression: Compression | null,
  minBytes: number,
): Promise<Uint8Array> {
  if (compression === null) return encodeEnvelope(0, data);
  const envelope = await envelopeCompress({ flags: 0, data }, compression, minBytes);
  return encodeEnvelope(envelope.flags, envelope.data);
}
