import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { Logger, Registry } from "@smartcart/runtime";
import { withSpan } from "@smartcart/runtime";
import type { CallScope } from "../context/call-scope.ts";
import { deadlineKey, runInCall } from "../context/call-scope.ts";
import { UnaryCall } from "../context/unary-call.ts";
import { observeStream } from "../streams/stream-observer.ts";
import { createCallRecord } from "./call-record.ts";

/** Where a server's log lines, metrics and spans go. */
export interface TelemetryInterceptorOptions {
  /** The service: "order". */
  readonly service: string;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Methods that are neither logged nor measured: health, reflection and the service's report. */
  readonly exempt: ReadonlySet<DescMethod>;
}

/** The outermost layer: trace, call scope, access log and duration of every call. */
export function createTelemetryInterceptor(o: TelemetryInterceptorOptions): Interceptor {
  const record = createCallRecord(o);
  return (next) => (req) => {
    if (o.exempt.has(req.method)) {
      return next(req);
    }
    const startedAt = performance.now();
    const serve = async () => {
      try {
        const res = await next(req);
        if (res.stream) {
          const onEnd = (error?: unknown) => record(req, startedAt, error);
          return { ...res, message: observeStream(res.message, { onEnd }) };
        }
        record(req, startedAt);
        return res;
      } catch (error) {
        record(req, startedAt, error);
        throw error;
      }
    };
    const traceparent = req.header.get("traceparent") ?? undefined;
    const name = `${req.method.parent.typeName}/${req.method.name}`;
    return withSpan(name, { traceparent, service: o.service }, () =>
      runInCall(scopeOf(req), serve),
    );
  };
}

function scopeOf(req: UnaryRequest | StreamRequest): CallScope {
  if (req instanceof UnaryCall) return req;
  return { signal: req.signal, deadlineAtMs: req.contextValues.get(deadlineKey) };
}
