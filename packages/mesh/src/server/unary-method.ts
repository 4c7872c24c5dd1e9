import type { Message } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec, UnaryResponse } from "@connectrpc/connect";
import type { UnaryCall } from "../context/unary-call.ts";

/** A method of the kind that takes and gives one message. */
export type UnarySpec = MethodImplSpec & { kind: "unary" };

/** Serves a call whose message is read, through the interceptors. @returns the message of the answer. */
export type ServeUnary = (call: UnaryCall, message: Message) => Promise<Message>;

/** A unary method behind its interceptors, which are put together once. Calls that are under way end with the server. */
export function createUnaryMethod(
  spec: UnarySpec,
  interceptors: readonly Interceptor[],
  shutdown: AbortSignal | undefined,
): ServeUnary {
  const { method } = spec;
  const underWay = new Set<UnaryCall>();
  shutdown?.addEventListener("abort", () => {
    for (const call of underWay) call.end(shutdown.reason);
  });
  const implement = async (call: UnaryCall): Promise<UnaryResponse> => {
    const message = create(method.output, await spec.impl(call.message, call));
    return answerOf(call, message);
  };
  const serve = interceptors.reduceRight<ReturnType<Interceptor>>(
    (next, interceptor) => interceptor(next),
    implement as ReturnType<Interceptor>,
  );
  return async (call, message) => {
    call.message = message;
    if (shutdown?.aborted) call.end(shutdown.reason);
    underWay.add(call);
    try {
      return (await serve(call)).message as Message;
    } finally {
      underWay.delete(call);
    }
  };
}

/** The answer of a call. Its headers are created at their first use. */
export function answerOf(call: UnaryCall, message: Message): UnaryResponse {
  const { method, service } = call;
  return {
    stream: false,
    method,
    service,
    message,
    get header() {
      return call.responseHeader;
    },
    get trailer() {
      return call.responseTrailer;
    },
  };
}
