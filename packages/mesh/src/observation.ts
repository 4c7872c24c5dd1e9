import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import type { Logger, Registry } from "@smartcart/runtime";
import { withSpan } from "@smartcart/runtime";
import type { RecordCall } from "./call-metrics.ts";
import { callHistogram, createCallRecorder } from "./call-metrics.ts";
import { deadlineKey, runInCall, viaRestKey } from "./call-scope.ts";
import { problemOf } from "./errors.ts";
import { codeName } from "./status-codes.ts";
import { watchStream } from "./watched-stream.ts";

/** How a server tells what it does. */
export interface ObservationOptions {
  /** The part: "order". */
  readonly service: string;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Methods that are neither logged nor measured: health and reflection. */
  readonly exempt: ReadonlySet<DescMethod>;
}

type AnyRequest = UnaryRequest | StreamRequest;

/** The outermost layer: trace, call scope, access log and duration of every call. */
export function createObservation(o: ObservationOptions): Interceptor {
  const histogram = callHistogram(
    o.metrics,
    "rpc_server_duration_seconds",
    "Time a served call took until its end, streams included",
  );
  const methods = new Map<DescMethod, { spanName: string; record: RecordCall }>();

  function observed(method: DescMethod) {
    let known = methods.get(method);
    if (known === undefined) {
      const spanName = `${method.parent.typeName}/${method.name}`;
      known = { spanName, record: createCallRecorder(histogram, method) };
      methods.set(method, known);
    }
    return known;
  }

  function finish(req: AnyRequest, startedAt: number, error?: unknown): void {
    const milliseconds = performance.now() - startedAt;
    const code = error === undefined ? undefined : ConnectError.from(error).code;
    observed(req.method).record(code, milliseconds / 1000);
    if (req.contextValues.get(viaRestKey)) {
      return;
    }
    const method = observed(req.method).spanName;
    const durationMs = Math.round(milliseconds * 10) / 10;
    if (error === undefined) {
      o.log.debug("rpc.served", { method, durationMs });
    } else {
      const problem = problemOf(error)?.code;
      o.log.info("rpc.served", { method, durationMs, code: code && codeName(code), problem });
    }
  }

  return (next) => (req) => {
    if (o.exempt.has(req.method)) {
      return next(req);
    }
    const startedAt = performance.now();
    const serve = async () => {
      try {
        const res = await next(req);
        if (res.stream) {
          const onEnd = (error?: unknown) => finish(req, startedAt, error);
          return { ...res, message: watchStream(res.message, { onEnd }) };
        }
        finish(req, startedAt);
        return res;
      } catch (error) {
        finish(req, startedAt, error);
        throw error;
      }
    };
    const scope = { signal: req.signal, deadlineAtMs: req.contextValues.get(deadlineKey) };
    const traceparent = req.header.get("traceparent") ?? undefined;
    return withSpan(observed(req.method).spanName, { traceparent, service: o.service }, () =>
      runInCall(scope, serve),
    );
  };
}
