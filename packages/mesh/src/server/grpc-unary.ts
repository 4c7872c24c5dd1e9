/**
 * Unary calls over gRPC. Connect serves each of them as a stream, through nine generators one within the other, which is more than half
 * of the call. Here the message is read whole, answered, and written whole; everything else is done by Connect's own parts.
 */
import type { Message } from "@bufbuild/protobuf";
import type { MethodImplSpec } from "@connectrpc/connect";
import { Code, ConnectError, createHandlerContext } from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandler,
  UniversalHandlerOptions,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  assertByteStreamRequest,
  compressionNegotiate,
  createMethodSerializationLookup,
  encodeEnvelope,
  envelopeCompress,
  envelopeDecompress,
  invokeUnaryImplementation,
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
import { WholeBody } from "../http/universal-response.ts";

type UnarySpec = MethodImplSpec & { kind: "unary" };
/** A call whose headers were read. */
interface Call {
  readonly req: UniversalServerRequest;
  readonly context: ReturnType<typeof createHandlerContext>;
  readonly isBinary: boolean;
  readonly compression: ReturnType<typeof compressionNegotiate>;
  /** What is wrong with the headers. */
  readonly fault: ConnectError | undefined;
}

/** The handler of a unary method for gRPC. Its answers are those of Connect's handler. */
export function createGrpcUnaryHandler(
  spec: UnarySpec,
  o: UniversalHandlerOptions,
): UniversalHandler {
  const connects = createHandlerFactory(o)(spec);
  const { method } = spec;
  const serialization = createMethodSerializationLookup(method, o.binaryOptions, o.jsonOptions, o);

  async function answer({ req, context, isBinary, compression, fault }: Call) {
    await o.requestGate?.(context);
    if (fault !== undefined) throw fault;
    assertByteStreamRequest(req);
    const bytes = await readMessage(req.body, compression.request, o.readMaxBytes);
    const input = serialization.getI(isBinary).parse(bytes);
    const output = await invokeUnaryImplementation(spec, context, input, o.interceptors);
    return frame(
      serialization.getO(isBinary).serialize(output as Message),
      compression.response,
      o.compressMinBytes,
    );
  }

  async function handle(req: UniversalServerRequest): Promise<UniversalServerResponse> {
    const type = parseContentType(req.header.get(headerContentType));
    if (type === undefined || req.method !== "POST") return connects(req);
    const call = begin(spec, req, type.binary, o);
    const { context } = call;
    let body: WholeBody | undefined;
    try {
      body = new WholeBody(await answer(call));
      context.abort();
    } catch (thrown) {
      context.abort(thrown);
      setTrailerStatus(context.responseTrailer, asConnectError(thrown));
    }
    return {
      status: 200,
      header: context.responseHeader,
      trailer: context.responseTrailer,
      ...(body && { body }),
    };
  }

  return Object.assign(handle, connects);
}

function begin(
  { method }: UnarySpec,
  req: UniversalServerRequest,
  isBinary: boolean,
  o: UniversalHandlerOptions,
): Call {
  const { header } = req;
  const timeout = parseTimeout(header.get(headerTimeout), o.maxTimeoutMs);
  const compression = compressionNegotiate(
    o.acceptCompression,
    header.get(headerEncoding),
    header.get(headerAcceptEncoding),
    headerAcceptEncoding,
  );
  const context = createHandlerContext({
    service: method.parent,
    method,
    protocolName: "grpc",
    requestMethod: req.method,
    url: req.url,
    requestSignal: req.signal,
    requestHeader: header,
    responseHeader: {
      [headerContentType]: isBinary ? contentTypeProto : contentTypeJson,
      ...(compression.response && { [headerEncoding]: compression.response.name }),
    },
    responseTrailer: { [headerGrpcStatus]: grpcStatusOk },
    ...(o.shutdownSignal && { shutdownSignal: o.shutdownSignal }),
    ...(timeout.timeoutMs !== undefined && { timeoutMs: timeout.timeoutMs }),
    ...(req.contextValues && { contextValues: req.contextValues }),
  });
  return { req, context, isBinary, compression, fault: compression.error ?? timeout.error };
}

const prefixBytes = 5;

/** The one message of the body (gRPC over HTTP/2, Length-Prefixed-Message). What is too long is not waited for. */
async function readMessage(
  body: AsyncIterable<Uint8Array>,
  compression: Compression | null,
  maxBytes: number,
): Promise<Uint8Array> {
  let bytes: Buffer | undefined;
  for await (const chunk of body) {
    const part = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    bytes = bytes === undefined ? part : Buffer.concat([bytes, part]);
    assertOneMessage(bytes, maxBytes);
  }
  if (bytes === undefined) {
    throw new ConnectError("protocol error: missing input message", Code.Unimplemented);
  }
  if (bytes.length < prefixBytes || bytes.length < prefixBytes + bytes.readUInt32BE(1)) {
    throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
  }
  const envelope = { flags: bytes[0] ?? 0, data: bytes.subarray(prefixBytes) };
  if (envelope.flags === 0) return envelope.data;
  return (await envelopeDecompress(envelope, compression, maxBytes)).data;
}

function assertOneMessage(bytes: Buffer, maxBytes: number): void {
  if (bytes.length < prefixBytes) return;
  const length = bytes.readUInt32BE(1);
  if (length > maxBytes) {
    const message = `message size ${length} is larger than configured readMaxBytes ${maxBytes}`;
    throw new ConnectError(message, Code.ResourceExhausted);
  }
  if (bytes.length > prefixBytes + length) {
    throw new ConnectError("protocol error: extra input message", Code.Unimplemented);
  }
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

function asConnectError(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError
    ? thrown
    : new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}
