import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext, Interceptor, Transport } from "@connectrpc/connect";
import { Code, ConnectError, createContextValues, createHandlerContext } from "@connectrpc/connect";
import { transformInvokeImplementation } from "@connectrpc/connect/protocol";
import { policyOf } from "@smartcart/contract";
import { deadlineKey, maxTimerMs } from "../context/call-scope.ts";
import { callEnded, UnaryCall } from "../context/unary-call.ts";
import { observeStream } from "../streams/stream-observer.ts";
import type { MethodRegistry } from "./method-registry.ts";
import { answerOf } from "./unary-method.ts";

/** What calls within the process go through. */
export interface LocalTransportOptions {
  readonly served: MethodRegistry;
  readonly interceptors: Interceptor[];
  readonly streamShutdown: AbortSignal;
}

/**
 * Calls the implementations of a server of the same process through the server's interceptors: deadline, validation and
 * errors are those of the network. Messages are handed over as they are, without being written to bytes, so neither side
 * may change a message after it has passed it on.
 */
export function createLocalTransport(o: LocalTransportOptions): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const serve = o.served.unary.get(method) ?? notServed(method);
      const call = new UnaryCall({
        method,
        protocolName: "local",
        url: `local:///${method.parent.typeName}/${method.name}`,
        requestHeader: header instanceof Headers ? header : new Headers(header),
        contextValues,
        timeoutMs: boundedTimeoutMs(method, timeoutMs),
      });
      const onAbort = () => call.end(signal?.reason);
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) onAbort();
      try {
        const message = await serve(call, create(method.input, input));
        return answerOf(call, message) as never;
      } catch (error) {
        // What the implementation said in headers before it failed goes with the error, as it does on the wire.
        throw error instanceof ConnectError ? withHeaders(error, call.responseHeader) : error;
      } finally {
        signal?.removeEventListener("abort", onAbort);
        call.end();
      }
    },

    async stream(method, signal, timeoutMs, header, input, contextValues) {
      const spec = o.served.specs.get(method) ?? notServed(method);
      const context = createContext(
        method,
        o.streamShutdown,
        signal,
        timeoutMs,
        header,
        contextValues,
      );
      const invoke = transformInvokeImplementation(spec, context, o.interceptors);
      const output = invoke(createEach(method.input, input)) as AsyncIterable<never>;
      return {
        stream: true,
        service: method.parent,
        method,
        header: context.responseHeader,
        trailer: context.responseTrailer,
        message: observeStream(output, { onEnd: (error) => context.abort(error ?? callEnded) }),
      };
    },
  };
}

function createContext(
  method: DescMethod,
  shutdownSignal: AbortSignal,
  requestSignal: AbortSignal | undefined,
  callerTimeoutMs: number | undefined,
  requestHeader: ConstructorParameters<typeof Headers>[0],
  values: ContextValues | undefined,
): HandlerContext & { abort(reason?: unknown): void } {
  const timeoutMs = boundedTimeoutMs(method, callerTimeoutMs);
  const contextValues = values ?? createContextValues();
  contextValues.set(deadlineKey, timeoutMs === undefined ? undefined : Date.now() + timeoutMs);
  return createHandlerContext({
    service: method.parent,
    method,
    protocolName: "local",
    requestMethod: "POST",
    url: `local:///${method.parent.typeName}/${method.name}`,
    contextValues,
    shutdownSignal,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(requestSignal !== undefined && { requestSignal }),
    ...(requestHeader !== undefined && { requestHeader }),
  });
}

function notServed(method: DescMethod): never {
  const name = `${method.parent.typeName}/${method.name}`;
  throw new ConnectError(`${name} is not served here`, Code.Unimplemented);
}

/** The smallest of what the caller asked for, what the contract allows and what a timer can hold; undefined: no bound. */
export function boundedTimeoutMs(
  method: DescMethod,
  callerMs: number | undefined,
): number | undefined {
  const { timeoutMs } = policyOf(method);
  if (callerMs === undefined) {
    return timeoutMs;
  }
  return Math.min(callerMs, timeoutMs ?? maxTimerMs, maxTimerMs);
}

function withHeaders(error: ConnectError, header: Headers): ConnectError {
  header.forEach((value, key) => {
    error.metadata.set(key, value);
  });
  return error;
}

async function* createEach<I extends DescMessage>(
  schema: I,
  inits: AsyncIterable<MessageInitShape<I>>,
) {
  for await (const init of inits) {
    yield create(schema, init);
  }
}
