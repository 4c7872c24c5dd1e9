import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { policyOf } from "@smartcart/contract";
import type { Semaphore, SemaphoreOptions } from "@smartcart/runtime";
import { createSemaphore } from "@smartcart/runtime";
import { principalKey } from "../auth/authentication.ts";
import { addressKey } from "../context/call-scope.ts";
import { DomainError } from "../errors/errors.ts";
import { observeStream } from "../streams/stream-observer.ts";
import { createStreamLimit } from "./stream-limit.ts";

/** Limits of one server. */
export interface AdmissionOptions {
  /** Methods whose unary calls are never refused: health and reflection. Their streams are bounded like all others. */
  readonly exempt: ReadonlySet<DescMethod>;
  /** Unary calls of all methods together. */
  readonly maxInFlight: number;
  /** True when the server has stopped and takes no more calls. */
  readonly stopped: () => boolean;
}

/** How many may come in at once, and how many wait. */
export interface Admission {
  readonly interceptor: Interceptor;
  /** Unary calls under way, those that wait included. */
  inFlight(): number;
}

/** Decides before a call is worked on whether it is worked on at all. */
export function createAdmission(o: AdmissionOptions): Admission {
  const streams = createStreamLimit();
  const lines = new Map<DescMethod, Semaphore>();
  let inFlight = 0;

  function assertRoom(method: DescMethod): void {
    if (o.stopped()) throw stoppedError();
    if (method.methodKind === "unary" && inFlight >= o.maxInFlight) throw overloadedError();
  }

  /** Waits for the call's turn where its method has a bound. */
  async function takeTurn(method: DescMethod, signal: AbortSignal): Promise<() => void> {
    let line = lines.get(method);
    if (line === undefined) {
      line = createSemaphore(lineOf(method));
      lines.set(method, line);
    }
    const leave = await line.acquire(signal);
    if (leave !== undefined) return leave;
    signal.throwIfAborted();
    throw methodFullError(method);
  }

  /** Answers the way out. */
  async function enterUnary({ method, signal }: UnaryRequest): Promise<() => void> {
    assertRoom(method);
    inFlight += 1;
    const leave = () => {
      inFlight -= 1;
    };
    if (policyOf(method).maxConcurrency === 0) return leave;
    try {
      const leaveLine = await takeTurn(method, signal);
      return () => {
        leave();
        leaveLine();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Answers the way out, which is taken by itself when the call has ended, whether or not anybody reads the stream. */
  async function enterStream(req: StreamRequest): Promise<() => void> {
    const { method, signal, contextValues } = req;
    assertRoom(method);
    const isService = contextValues.get(principalKey).kind === "service";
    const address = isService ? undefined : contextValues.get(addressKey);
    const leaveAddress = streams.enter(method, address);
    try {
      const leaveLine = await takeTurn(method, signal);
      return onceOrAborted(signal, () => {
        leaveAddress();
        leaveLine();
      });
    } catch (error) {
      leaveAddress();
      throw error;
    }
  }

  const interceptor: Interceptor = (next) => async (req) => {
    if (!req.stream && o.exempt.has(req.method)) {
      return next(req);
    }
    const leave = await (req.stream ? enterStream(req) : enterUnary(req));
    try {
      // Its caller may have gone while it waited: then nothing is begun for it.
      req.signal.throwIfAborted();
      const res = await next(req);
      if (res.stream) {
        return { ...res, message: observeStream(res.message, { onEnd: leave }) };
      }
      leave();
      return res;
    } catch (error) {
      leave();
      throw error;
    }
  };
  return { interceptor, inFlight: () => inFlight };
}

/** Runs `leave` once: when it is called, or when the call has ended, which aborts its signal. */
function onceOrAborted(signal: AbortSignal, leave: () => void): () => void {
  let left = false;
  const leaveOnce = () => {
    if (left) return;
    left = true;
    signal.removeEventListener("abort", leaveOnce);
    leave();
  };
  if (signal.aborted) leaveOnce();
  else signal.addEventListener("abort", leaveOnce, { once: true });
  return leaveOnce;
}

function stoppedError(): DomainError {
  return new DomainError({
    code: "SHUTTING_DOWN",
    rpcCode: Code.Unavailable,
    title: "The server is shutting down",
    message: "The server is shutting down. Reconnect and retry the call.",
    retryAfterMs: 1000,
  });
}

function overloadedError(): DomainError {
  return new DomainError({
    code: "OVERLOADED",
    rpcCode: Code.Unavailable,
    title: "The server is overloaded",
    message: "The server has too many calls in progress. Retry after the stated time.",
    retryAfterMs: 1000,
  });
}

function lineOf(method: DescMethod): SemaphoreOptions {
  const { maxConcurrency, wait } = policyOf(method);
  return {
    maxConcurrent: maxConcurrency,
    maxWaiting: wait?.maxCalls ?? 0,
    maxWaitMs: wait?.maxWaitMs ?? 0,
  };
}

function methodFullError(method: DescMethod): DomainError {
  const { maxConcurrency } = policyOf(method);
  const isUnary = method.methodKind === "unary";
  return new DomainError({
    code: isUnary ? "TOO_MANY_CALLS" : "TOO_MANY_STREAMS",
    rpcCode: Code.ResourceExhausted,
    title: "Too many at once",
    message: isUnary
      ? `${method.name} works on ${maxConcurrency} calls at once, and too many wait already. Nothing has begun: send the same request again after the time stated.`
      : `${method.name} has ${maxConcurrency} streams open, which is all that it serves. Try again after the time stated.`,
    retryAfterMs: 1000,
  });
}
