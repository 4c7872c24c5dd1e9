import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport, UnaryResponse } from "@connectrpc/connect";
import { policyOf } from "@smartcart/contract";
import type { RetryPolicy } from "@smartcart/gen/mesh/v1/options_pb";
import type { Logger, Registry } from "@smartcart/runtime";
import { currentTraceparent } from "@smartcart/runtime";
import { callerHeader, createCallerTokens } from "../auth/caller-token.ts";
import { codeName } from "../errors/status-codes.ts";
import { observeStream } from "../streams/stream-observer.ts";
import type { RecordCall } from "../telemetry/call-metrics.ts";
import { callHistogram, clientDuration, createCallRecorder } from "../telemetry/call-metrics.ts";
import { attemptTimeoutMs, boundsOf } from "./call-bounds.ts";
import type { Repetition } from "./retry.ts";
import { retrying } from "./retry.ts";
import { onceMoreIfRefused, throwUpstream, upstreamError } from "./upstream-error.ts";

/** The caller, and how it identifies itself. */
export interface PolicyTransportOptions {
  /** The calling service: "order". */
  readonly caller: string;
  /** The service that is called. */
  readonly audience: string;
  readonly log: Logger;
  readonly meshSecret: string | undefined;
  readonly metrics: Registry | undefined;
}

/** How a method is called: looked up in the contract once. */
interface MethodPlan {
  readonly name: string;
  readonly timeoutMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly record: RecordCall | undefined;
  readonly onRepetition: (repetition: Repetition) => void;
}

/**
 * Adds to a transport what the contract and the call in progress ask for: deadline, signal, trace, identity, retries.
 * Everything that it throws is a ConnectError which is marked as received from elsewhere.
 */
export function createPolicyTransport(inner: Transport, o: PolicyTransportOptions): Transport {
  const planOf = createPlans(o);
  const headersOf = createHeaders(o);
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const plan = planOf(method);
      const bounds = boundsOf(signal, timeoutMs);
      const headers = headersOf(header);
      const startedAt = performance.now();
      const attempt = () => {
        const leftMs = attemptTimeoutMs(plan.timeoutMs, bounds);
        return inner.unary(method, bounds.signal, leftMs, headers, input, contextValues);
      };
      const send = () => onceMoreIfRefused(attempt).catch(throwUpstream);
      try {
        const response = await (plan.retry
          ? retrying(plan.retry, bounds, send, plan.onRepetition)
          : send());
        plan.record?.(undefined, (performance.now() - startedAt) / 1000);
        return response as UnaryResponse<typeof method.input, typeof method.output>;
      } catch (thrown) {
        const error = upstreamError(thrown);
        plan.record?.(error.code, (performance.now() - startedAt) / 1000);
        o.log.debug("rpc.failed", { method: plan.name, code: codeName(error.code) });
        throw error;
      }
    },

    async stream(method, signal, timeoutMs, header, input, contextValues) {
      const bounds = boundsOf(signal, timeoutMs);
      try {
        const leftMs = attemptTimeoutMs(planOf(method).timeoutMs, bounds);
        const headers = headersOf(header);
        const res = await inner.stream(
          method,
          bounds.signal,
          leftMs,
          headers,
          input,
          contextValues,
        );
        return { ...res, message: observeStream(res.message, { mapError: upstreamError }) };
      } catch (thrown) {
        throw upstreamError(thrown);
      }
    },
  };
}

function createPlans(o: PolicyTransportOptions): (method: DescMethod) => MethodPlan {
  const histogram =
    o.metrics && callHistogram(o.metrics, clientDuration, "Time a call took, its retries included");
  const plans = new Map<DescMethod, MethodPlan>();
  return (method) => {
    let plan = plans.get(method);
    if (plan === undefined) {
      const { timeoutMs, retry } = policyOf(method);
      const name = `${method.parent.typeName}/${method.name}`;
      plan = {
        name,
        timeoutMs,
        retry,
        record: histogram && createCallRecorder(histogram, method),
        onRepetition: (repetition) => o.log.info("rpc.retried", { method: name, ...repetition }),
      };
      plans.set(method, plan);
    }
    return plan;
  };
}

/** The headers of a call: those that were given, the trace and the caller. */
function createHeaders(
  o: PolicyTransportOptions,
): (given: ConstructorParameters<typeof Headers>[0]) => Headers {
  const token = o.meshSecret === undefined ? () => o.caller : createCallerTokens(o, o.meshSecret);
  return (given) => {
    const headers = new Headers(given);
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) {
      headers.set("traceparent", traceparent);
    }
    headers.set(callerHeader, token());
    return headers;
  };
}
