import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport, UnaryResponse } from "@connectrpc/connect";
import type { RetryPolicy as Retrier } from "cockatiel";
import { policyOf } from "@smartcart/contract";
import type { Logger, Registry } from "@smartcart/runtime";
import { currentTraceparent } from "@smartcart/runtime";
import { callerHeader, createCallerTokens } from "../auth/caller-token.ts";
import { currentCall, maxTimerMs } from "../context/call-scope.ts";
import { codeName } from "../errors/status-codes.ts";
import { abortable, observeStream } from "../streams/stream-observer.ts";
import type { RecordCall } from "../telemetry/call-metrics.ts";
import { callHistogram, clientDuration, createCallRecorder } from "../telemetry/call-metrics.ts";
import { createRetrier } from "./retry.ts";
import {
  deadlineError,
  onceMoreIfRefused,
  throwUpstream,
  upstreamError,
} from "./upstream-error.ts";

/** Who calls, and how that is told. */
export interface PolicyTransportOptions {
  /** The calling part: "order". */
  readonly caller: string;
  readonly log: Logger;
  readonly meshSecret: string | undefined;
  readonly metrics: Registry | undefined;
}

interface MethodPlan {
  readonly name: string;
  readonly timeoutMs: number | undefined;
  readonly retrier: Retrier | undefined;
  readonly record: RecordCall | undefined;
}

/** The bounds of one call. */
interface Bounds {
  readonly signal: AbortSignal | undefined;
  /** Unix time in milliseconds; undefined: each attempt has the contract's time-out, and nothing else bounds the call. */
  readonly deadlineAtMs: number | undefined;
  /** Whether the caller chose the time itself, which then replaces the contract's. */
  readonly chosen: boolean;
}

/**
 * Adds to a transport what the contract and the call in progress ask for: deadline, signal, trace, identity, retries.
 * Everything that it throws is a ConnectError which is marked as received from elsewhere.
 */
export function createPolicyTransport(inner: Transport, o: PolicyTransportOptions): Transport {
  const histogram =
    o.metrics && callHistogram(o.metrics, clientDuration, "Time a call took, its retries included");
  const token =
    o.meshSecret === undefined ? () => o.caller : createCallerTokens(o.caller, o.meshSecret);
  const plans = new Map<DescMethod, MethodPlan>();

  function planOf(method: DescMethod): MethodPlan {
    let plan = plans.get(method);
    if (plan === undefined) {
      const { timeoutMs, retry } = policyOf(method);
      const name = `${method.parent.typeName}/${method.name}`;
      plan = {
        name,
        timeoutMs,
        retrier: retry && createRetrier(retry),
        record: histogram && createCallRecorder(histogram, method),
      };
      plan.retrier?.onRetry(({ attempt, delay, ...result }) => {
        const error = "error" in result ? result.error : undefined;
        o.log.info("rpc.retried", { method: name, attempt, delayMs: delay, error });
      });
      plans.set(method, plan);
    }
    return plan;
  }

  function headersOf(given: ConstructorParameters<typeof Headers>[0]): Headers {
    const headers = new Headers(given);
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) {
      headers.set("traceparent", traceparent);
    }
    headers.set(callerHeader, token());
    return headers;
  }

  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const plan = planOf(method);
      const bounds = boundsOf(signal, timeoutMs);
      const headers = headersOf(header);
      const startedAt = performance.now();
      const attempt = () => {
        const leftMs = attemptTimeoutMs(plan, bounds);
        return inner.unary(method, bounds.signal, leftMs, headers, input, contextValues);
      };
      const send = () => onceMoreIfRefused(attempt).catch(throwUpstream);
      try {
        const response = plan.retrier ? await retried(plan.retrier, bounds, send) : await send();
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
        const leftMs = attemptTimeoutMs(planOf(method), bounds);
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

/** An own signal or time-out wins; what is missing comes from the call in progress, whose deadline always holds. */
function boundsOf(signal: AbortSignal | undefined, timeoutMs: number | undefined): Bounds {
  const scope = currentCall();
  const own = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  const outer = scope?.deadlineAtMs;
  return {
    signal: signal ?? scope?.signal,
    deadlineAtMs: own === undefined || outer === undefined ? (own ?? outer) : Math.min(own, outer),
    chosen: timeoutMs !== undefined,
  };
}

function attemptTimeoutMs(plan: MethodPlan, bounds: Bounds): number | undefined {
  bounds.signal?.throwIfAborted();
  if (bounds.deadlineAtMs === undefined) {
    return plan.timeoutMs;
  }
  const leftMs = bounds.deadlineAtMs - Date.now();
  if (leftMs <= 0) {
    throw deadlineError();
  }
  const boundMs = bounds.chosen ? undefined : plan.timeoutMs;
  return Math.min(Math.ceil(leftMs), boundMs ?? maxTimerMs, maxTimerMs);
}

/** Ends between two attempts, too: the pauses know neither deadline nor signal. */
async function retried<T>(
  retrier: Retrier,
  { signal, deadlineAtMs }: Bounds,
  attempt: () => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const onAbort = () => end.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer =
    deadlineAtMs === undefined
      ? undefined
      : setTimeout(
          () => end.abort(deadlineError()),
          Math.min(maxTimerMs, deadlineAtMs - Date.now()),
        );
  try {
    return await abortable(end.signal, () => retrier.execute(attempt, end.signal));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
