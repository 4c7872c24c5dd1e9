import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { ConnectError } from "@connectrpc/connect";
import type { Logger, Registry } from "@smartcart/runtime";
import { withSpan } from "@smartcart/runtime";
import { callerHeader } from "../auth/caller-token.ts";
import { deadlineKey, runInCall, viaRestKey } from "../context/call-scope.ts";
import { UnaryCall } from "../context/unary-call.ts";
import { problemOf } from "../errors/errors.ts";
import { codeName } from "../errors/status-codes.ts";
import { observeStream } from "../streams/stream-observer.ts";
import type { CallerKind, RecordCall } from "./call-metrics.ts";
import { callHistogram, createCallRecorder, serverDuration } from "./call-metrics.ts";
import { createSampledLog } from "./sampled-log.ts";

/** How a server tells what it does. */
export interface TelemetryInterceptorOptions {
  /** The part: "order". */
  readonly service: string;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Methods that are neither logged nor measured: health, reflection and the part's report. */
  readonly exempt: ReadonlySet<DescMethod>;
}

type AnyRequest = UnaryRequest | StreamRequest;

/** What is known of a method. */
interface ObservedMethod {
  readonly spanName: string;
  readonly record: Readonly<Record<CallerKind, RecordCall>>;
}

/** The outermost layer: trace, call scope, access log and duration of every call. */
export function createTelemetryInterceptor(o: TelemetryInterceptorOptions): Interceptor {
  const histogram = callHistogram(
    o.metrics,
    serverDuration,
    "Time a served call took until its end, streams included",
  );
  const methods = new Map<DescMethod, ObservedMethod>();
  const logFailure = createSampledLog(o.log, "rpc.served");

  function observed(method: DescMethod): ObservedMethod {
    let known = methods.get(method);
    if (known === undefined) {
      const spanName = `${method.parent.typeName}/${method.name}`;
      known = {
        spanName,
        record: {
          part: createCallRecorder(histogram, method, "part"),
          client: createCallRecorder(histogram, method, "client"),
        },
      };
      methods.set(method, known);
    }
    return known;
  }

  /** What a part calls is counted by itself, as an edge from it; the rest comes from outside. */
  function count(req: AnyRequest, milliseconds: number, error: unknown): void {
    const { record } = observed(req.method);
    const caller: CallerKind = req.header.has(callerHeader) ? "part" : "client";
    const code = error === undefined ? undefined : ConnectError.from(error).code;
    record[caller](code, milliseconds / 1000);
  }

  function finish(req: AnyRequest, startedAt: number, error?: unknown): void {
    const milliseconds = performance.now() - startedAt;
    count(req, milliseconds, error);
    if (req.contextValues.get(viaRestKey)) {
      return;
    }
    const method = observed(req.method).spanName;
    const durationMs = Math.round(milliseconds * 10) / 10;
    if (error === undefined) {
      o.log.debug("rpc.served", { method, durationMs });
    } else {
      const problem = problemOf(error)?.code;
      const code = codeName(ConnectError.from(error).code);
      logFailure(`${method} ${code} ${problem}`, { method, durationMs, code, problem });
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
          return { ...res, message: observeStream(res.message, { onEnd }) };
        }
        finish(req, startedAt);
        return res;
      } catch (error) {
        finish(req, startedAt, error);
        throw error;
      }
    };
    const scope =
      req instanceof UnaryCall
        ? req
        : { signal: req.signal, deadlineAtMs: req.contextValues.get(deadlineKey) };
    const traceparent = req.header.get("traceparent") ?? undefined;
    return withSpan(observed(req.method).spanName, { traceparent, service: o.service }, () =>
      runInCall(scope, serve),
    );
  };
}
