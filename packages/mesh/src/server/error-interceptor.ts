import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { redactError, textRedactor } from "@smartcart/contract";
import type { Logger } from "@smartcart/runtime";
import { UnaryCall } from "../context/unary-call.ts";
import type { ErrorMapper } from "../errors/error-mapping.ts";
import { mapError } from "../errors/error-mapping.ts";
import { abortable, observeStream } from "../streams/stream-observer.ts";

/** Maps every thrown error to one that the caller may see, and logs the rest. */
export function createErrorInterceptor(
  log: Logger,
  translate: ErrorMapper = (error) => error,
): Interceptor {
  function map(req: UnaryRequest | StreamRequest, thrown: unknown): unknown {
    const { error, unexpected } = mapError(
      isHangUp(req.signal, thrown) ? canceledError() : translate(thrown),
    );
    if (unexpected) {
      const method = `${req.method.parent.typeName}/${req.method.name}`;
      log.error("rpc.failed", { method, error: redacted(req, error.cause) });
    }
    return error;
  }
  return (next) => async (req) => {
    try {
      const res = await next(req);
      if (!res.stream) {
        return res;
      }
      return { ...res, message: observeStream(res.message, { mapError: (e) => map(req, e) }) };
    } catch (thrown) {
      throw map(req, thrown);
    }
  };
}

/** What an error quotes of the request stays out of the log. The messages of a stream are gone by the time that it fails. */
function redacted(req: UnaryRequest | StreamRequest, error: unknown): unknown {
  return req.stream ? error : redactError(error, textRedactor([[req.method.input, req.message]]));
}

/** Whether the error only reports that the caller is gone, which is no fault of this service. */
function isHangUp(signal: AbortSignal, thrown: unknown): boolean {
  return signal.aborted && thrown instanceof Error && thrown.name === "AbortError";
}

function canceledError(): ConnectError {
  return new ConnectError("The caller canceled the call.", Code.Canceled);
}

/**
 * Ends a call for its caller at the deadline, when the caller hung up and at shutdown, even if the implementation does
 * not look at its signal. What the implementation does after that goes nowhere.
 */
export const promptEnd: Interceptor = (next) => (req) => {
  if (req instanceof UnaryCall) return req.untilEnd(() => next(req));
  return abortable(req.signal, async () => {
    const res = await next(req);
    return res.stream
      ? { ...res, message: observeStream(res.message, { signal: req.signal }) }
      : res;
  });
};
