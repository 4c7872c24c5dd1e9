/** The calls of one connection that carries many streams. */
import type { DescMessage, DescMethodServerStreaming } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { StreamCall, StreamServerFrame } from "@smartcart/gen/mesh/v1/stream_frames_pb";
import {
  StreamClientFrameSchema,
  StreamEndSchema,
  StreamServerFrameSchema,
} from "@smartcart/gen/mesh/v1/stream_frames_pb";
import { addressKey } from "../context/call-scope.ts";
import { mapError } from "../errors/error-mapping.ts";
import type { DomainError } from "../errors/errors.ts";
import { problemOf } from "../errors/errors.ts";
import type { RateLimits } from "../limits/rate-limit.ts";

/** A method whose answer is a stream. */
export type Method = DescMethodServerStreaming<DescMessage, DescMessage>;

/** What the calls of a connection share. */
export interface StreamCallOptions {
  /** By "package.Service/Method". */
  readonly methods: ReadonlyMap<string, Method>;
  readonly transport: Transport;
  /** Headers of every call; a frame may bring `Authorization`. */
  readonly headers: Headers;
  /** Network address of the client. */
  readonly address: string;
  /** Count every frame of the client. */
  readonly rateLimits: RateLimits;
  /** Sends a frame; resolves when the connection has taken it. */
  readonly send: (frame: Uint8Array) => Promise<void>;
}

/** Disposing ends all calls. */
export interface StreamCalls extends Disposable {
  /** Takes a frame of the client; false where it is none, and the connection has to be closed. */
  receive(frame: Uint8Array): boolean;
}

/** Streams that one connection may have open: a page of the console has three. */
const maxCalls = 32;

/** The streams of one connection, at most 32. Disposing aborts them all. */
export function createStreamCalls(o: StreamCallOptions): StreamCalls {
  const open = new Map<number, AbortController>();

  function begin(callId: number, call: StreamCall, refusal: DomainError | undefined): boolean {
    if (open.has(callId) || open.size >= maxCalls) return false;
    const ended = new AbortController();
    open.set(callId, ended);
    void answer(o, { callId, call, refusal, signal: ended.signal }).finally(() => {
      if (open.get(callId) === ended) open.delete(callId);
    });
    return true;
  }

  return {
    receive(bytes) {
      const frame = parse(bytes);
      if (frame === undefined) return false;
      const { callId, action } = frame;
      const limited = o.rateLimits.refusalOfAddress(o.address);
      if (action.case === "open") return begin(callId, action.value, limited);
      if (limited !== undefined) return false;
      open.get(callId)?.abort();
      open.delete(callId);
      return true;
    },
    [Symbol.dispose]() {
      for (const call of open.values()) call.abort();
    },
  };
}

function parse(bytes: Uint8Array) {
  try {
    return fromBinary(StreamClientFrameSchema, bytes);
  } catch {
    return undefined;
  }
}

interface OpenCall {
  readonly callId: number;
  readonly call: StreamCall;
  /** Why it is not begun; undefined: it is. */
  readonly refusal: DomainError | undefined;
  readonly signal: AbortSignal;
}

/** Sends what the method answers, and how it ended. Never rejects: a connection that is gone has ended its calls. */
async function answer(
  o: StreamCallOptions,
  { callId, call, refusal, signal }: OpenCall,
): Promise<void> {
  const send = (event: StreamServerFrame["event"]) =>
    o.send(toBinary(StreamServerFrameSchema, create(StreamServerFrameSchema, { callId, event })));
  const end = (code: number, error: string, retryAfterMs = 0) =>
    send({ case: "end", value: create(StreamEndSchema, { code, error, retryAfterMs }) });
  try {
    if (refusal !== undefined) throw mapError(refusal).error;
    const method = o.methods.get(call.method);
    if (method === undefined) {
      throw new ConnectError(`${call.method} is no stream of this server`, Code.Unimplemented);
    }
    for await (const message of messagesOf(o, method, call, signal)) {
      await send({ case: "message", value: toBinary(method.output, message) });
    }
    await end(0, "");
  } catch (reason) {
    if (signal.aborted) return;
    const { code, rawMessage } = ConnectError.from(reason);
    await end(code, rawMessage, problemOf(reason)?.retryAfterMs).catch(() => {});
  }
}

async function* messagesOf(
  o: StreamCallOptions,
  method: Method,
  { request, authorization }: StreamCall,
  signal: AbortSignal,
) {
  const header = new Headers(o.headers);
  if (authorization !== "") header.set("authorization", authorization);
  const values = createContextValues().set(addressKey, o.address);
  const input = [decode(method, request)];
  const { message } = await o.transport.stream(
    method,
    signal,
    undefined,
    header,
    each(input),
    values,
  );
  yield* message;
}

function decode(method: Method, bytes: Uint8Array) {
  try {
    return fromBinary(method.input, bytes);
  } catch (error) {
    throw ConnectError.from(error, Code.InvalidArgument);
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
