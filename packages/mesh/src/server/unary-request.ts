import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  Compression,
  UniversalHandlerOptions,
  UniversalServerRequest,
} from "@connectrpc/connect/protocol";
import { createMethodSerializationLookup } from "@connectrpc/connect/protocol";
import { UnaryCall } from "../context/unary-call.ts";
import type { NodeUniversalRequest } from "../http/universal-request.ts";

/** How a method is served: Connect's options, and one of this package. */
export interface MethodHandlerOptions extends UniversalHandlerOptions {
  /** Changes an error of a unary call before it is written. Default: nothing is changed. */
  readonly mapError?: ((error: ConnectError) => void) | undefined;
  /** Reads the request of a unary call from JSON. Default: as Connect reads it. */
  readonly readJson?: ((bytes: Uint8Array) => Message) | undefined;
  /** Throws where a unary call is not let in, before its body is read; of Connect's own handlers it is part of `requestGate`. */
  readonly admit?: Admit | undefined;
}

/** Looks at a call of which only the headers are read. @throws ConnectError where it is not let in. */
export type Admit = (call: Pick<HandlerContext, "method" | "requestHeader" | "values">) => void;

/** Reads the requests of a method and writes its answers. */
export interface Codec {
  read(isBinary: boolean, bytes: Uint8Array): Message;
  write(isBinary: boolean, message: Message): Uint8Array;
}

/** The codec of a unary method. */
export function createCodec(method: DescMethod, o: MethodHandlerOptions): Codec {
  const connects = createMethodSerializationLookup(method, o.binaryOptions, o.jsonOptions, o);
  const json = o.readJson ?? connects.getI(false).parse;
  return {
    read: (isBinary, bytes) => (isBinary ? connects.getI(true).parse(bytes) : json(bytes)),
    write: (isBinary, message) => connects.getO(isBinary).serialize(message),
  };
}

/** What the headers of a unary request say, as its protocol writes it. */
export interface UnaryHeaders {
  readonly protocolName: string;
  readonly isBinary: boolean;
  readonly timeout: {
    readonly timeoutMs?: number | undefined;
    readonly error?: ConnectError | undefined;
  };
  /** Null: there is none. */
  readonly compression: {
    readonly request: Compression | null;
    readonly response: Compression | null;
    readonly error?: ConnectError | undefined;
  };
}

/** The call of a request from the network, which ends when its client hangs up. */
export function beginCall(
  method: DescMethod,
  req: UniversalServerRequest,
  { protocolName, timeout: { timeoutMs } }: UnaryHeaders,
): UnaryCall {
  const { url, header: requestHeader, contextValues } = req;
  const call = new UnaryCall({
    method,
    protocolName,
    url,
    requestHeader,
    contextValues,
    timeoutMs,
  });
  (req as NodeUniversalRequest).whenClosed((reason) => call.end(reason));
  return call;
}

/** @throws ConnectError where the headers ask for what there is not. */
export function assertHeaders({ compression, timeout }: UnaryHeaders): void {
  const fault = compression.error ?? timeout.error;
  if (fault !== undefined) throw fault;
}

/** Looks at what has come of a body, and throws where it is more than there may be. */
export type AssertSize = (chunks: readonly Uint8Array[], bytes: number) => void;

/** The whole of a body; most of them are one chunk, which is not copied. */
export async function readWhole(
  body: AsyncIterable<Uint8Array>,
  assertSize: AssertSize,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    assertSize(chunks, bytes);
  }
  const [only] = chunks;
  return only !== undefined && chunks.length === 1
    ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
    : Buffer.concat(chunks, bytes);
}

/** @throws ConnectError RESOURCE_EXHAUSTED where a message is longer than it may be. `size`: that of the whole message, where it is known. */
export function assertMessageSize(bytes: number, maxBytes: number, size = ""): void {
  if (bytes <= maxBytes) return;
  const message = `message size${size} is larger than configured readMaxBytes ${maxBytes}`;
  throw new ConnectError(message, Code.ResourceExhausted);
}

/** What was thrown, as an error that may be sent. */
export function asConnectError(thrown: unknown): ConnectError {
  return thrown instanceof ConnectError
    ? thrown
    : new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}
