import { currentCall, maxTimerMs } from "../context/call-scope.ts";
import { deadlineError } from "./upstream-error.ts";

/** The bounds of one call, its repetitions included. */
export interface Bounds {
  readonly signal: AbortSignal | undefined;
  /** Unix time in milliseconds; undefined: each attempt has the contract's time-out, and nothing else bounds the call. */
  readonly deadlineAtMs: number | undefined;
  /** Whether the caller chose the time itself, which then replaces the contract's. */
  readonly chosen: boolean;
}

/** An own signal or time-out wins; what is missing comes from the call in progress, whose deadline always holds. */
export function boundsOf(signal: AbortSignal | undefined, timeoutMs: number | undefined): Bounds {
  const scope = currentCall();
  const own = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
  const outer = scope?.deadlineAtMs;
  return {
    signal: signal ?? scope?.signal,
    deadlineAtMs: own === undefined || outer === undefined ? (own ?? outer) : Math.min(own, outer),
    chosen: timeoutMs !== undefined,
  };
}

/**
 * The time that an attempt may take, in milliseconds; `policyMs` is the contract's.
 * @throws the signal's reason, or DEADLINE_EXCEEDED, where no time is left.
 */
export function attemptTimeoutMs(policyMs: number | undefined, bounds: Bounds): number | undefined {
  bounds.signal?.throwIfAborted();
  if (bounds.deadlineAtMs === undefined) {
    return policyMs;
  }
  const leftMs = bounds.deadlineAtMs - Date.now();
  if (leftMs <= 0) {
    throw deadlineError();
  }
  const boundMs = bounds.chosen ? undefined : policyMs;
  return Math.min(Math.ceil(leftMs), boundMs ?? maxTimerMs, maxTimerMs);
}
